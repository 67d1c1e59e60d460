package org.peerlane.driver.edu;

import java.util.Locale;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What a copy did.
 *
 * @param sourceSha256 of the file's bytes as they were loaded, in hex
 * @param destinationSha256 of the bytes as they were read back from emulated RAM, in hex
 * @param bytes how many
 * @param pieces how many times to the device and back
 * @param nanos how long it took
 */
public record CopyReport(
        String sourceSha256, String destinationSha256, long bytes, long pieces, long nanos) {

    /** {@return whether what came back is what was sent} */
    public boolean isEqual() {
        return sourceSha256.equals(destinationSha256);
    }

    /**
     * Refuses a copy that went wrong.
     *
     * @throws ErrnoException {@code EIO} what came back is something else
     */
    public void check() {
        if (!isEqual()) {
            throw new ErrnoException(
                    Errno.EIO,
                    "the copy of %d bytes differs: source sha256 %s, destination sha256 %s"
                            .formatted(bytes, sourceSha256, destinationSha256));
        }
    }

    /** {@return three lines for the user} */
    @Override
    public String toString() {
        double seconds = Math.max(nanos, 1) / 1e9;
        return String.format(
                Locale.ROOT,
                "source      sha256 %s%n"
                        + "destination sha256 %s%n"
                        + "%d bytes in %d pieces, %d ms, %.1f MiB/s, %s",
                sourceSha256,
                destinationSha256,
                bytes,
                pieces,
                nanos / 1_000_000,
                bytes / seconds / (1 << 20),
                isEqual() ? "equal" : "DIFFERENT");
    }
}
