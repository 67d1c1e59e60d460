package org.peerlane.exporter.vfio;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.EventFd;

/** An eventfd that somebody may have set, with a reference. <b>Threads.</b> Any. */
final class Notice {
    private final AtomicReference<@Nullable EventFd> event = new AtomicReference<>();

    /** Takes a reference of the new one, and lets go of the old one. */
    void set(@Nullable EventFd next) {
        if (next != null) {
            next.get();
        }
        EventFd old = event.getAndSet(next);
        if (old != null) {
            old.put();
        }
    }

    /** {@return whether there was one, which it lets go of} */
    boolean clear() {
        EventFd old = event.getAndSet(null);
        if (old != null) {
            old.put();
        }
        return old != null;
    }

    /** {@return whether there was one} */
    boolean signal() {
        EventFd now = event.get();
        if (now == null) {
            return false;
        }
        now.signal();
        return true;
    }
}
