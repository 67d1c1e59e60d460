package org.peerlane.dmabuf.core;

import java.util.concurrent.ConcurrentHashMap;

/**
 * The references that one bundle was given by its {@code DmaBufs} and has not given back to it: of
 * what it exported, and of what it got by descriptor.
 *
 * <p>When the bundle leaves, some are put for it: one for each attachment that was left, since an
 * importer has one as long as it is attached (DB-10), and its own of what it exported. Of others
 * nobody knows whether they have gone back to the buffer itself.
 *
 * <p><b>Threads.</b> Any.
 */
final class Holdings {
    private final ConcurrentHashMap<Buffer, Integer> held = new ConcurrentHashMap<>();

    /** The bundle has one more. */
    void gained(Buffer buffer) {
        held.merge(buffer, 1, Integer::sum);
    }

    /** The bundle has given one back, or away. {@return false: it had none} */
    boolean lost(Buffer buffer) {
        boolean[] had = new boolean[1];
        held.computeIfPresent(
                buffer,
                (_, count) -> {
                    had[0] = true;
                    return count == 1 ? null : count - 1;
                });
        return had[0];
    }

    /** Puts one for the bundle, if it has any. */
    void putFor(Buffer buffer) {
        if (lost(buffer)) {
            buffer.putLater();
        }
    }

    /** A buffer has ended. */
    void forget(Buffer buffer) {
        held.remove(buffer);
    }
}
