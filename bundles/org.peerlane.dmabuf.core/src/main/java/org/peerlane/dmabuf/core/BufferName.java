package org.peerlane.dmabuf.core;

import java.nio.charset.StandardCharsets;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** The name that somebody gave a buffer (DB-61). <b>Threads.</b> Any. */
final class BufferName {
    private static final int MAX_BYTES = 31;

    private volatile String name = "";

    String get() {
        return name;
    }

    void set(DmaBuf buffer, String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > MAX_BYTES) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "name '%s' for %s has %d bytes; expected at most %d"
                            .formatted(text, buffer, bytes, MAX_BYTES));
        }
        name = text;
    }
}
