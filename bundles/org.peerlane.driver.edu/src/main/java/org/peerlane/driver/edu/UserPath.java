package org.peerlane.driver.edu;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Paths as the user types them: relative ones start at the folder that the user stands in, which
 * the launcher hands over as system property {@code peerlane.cwd}.
 */
final class UserPath {
    static final String CWD = "peerlane.cwd";

    private UserPath() {}

    /**
     * {@return the path in full}
     *
     * @throws ErrnoException {@code EINVAL} it cannot be a path
     */
    static Path resolve(String text) {
        try {
            return Path.of(System.getProperty(CWD, "")).resolve(text).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw new ErrnoException(
                    Errno.EINVAL, "'%s' is no path: %s".formatted(text, e.getReason()), e);
        }
    }
}
