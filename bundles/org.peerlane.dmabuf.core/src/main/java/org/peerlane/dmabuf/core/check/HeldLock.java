package org.peerlane.dmabuf.core.check;

import org.jspecify.annotations.Nullable;

/** A lock that one thread holds while others wait for it: an edge of the graph of waits. */
public interface HeldLock {
    /** {@return for reports, such as {@code system#17}} */
    String name();

    /** {@return who holds it now, or null; out of date as soon as it is read} */
    @Nullable Thread holder();

    /** {@return the buffer whose lock it is, or 0} */
    default long buffer() {
        return 0;
    }

    /** {@return whether it is held by a transaction, which gives way to an older one} */
    default boolean isHeldInTransaction() {
        return false;
    }

    /** {@return whether a transaction that waits for it is about to give way to its holder} */
    default boolean givesWay(Object transaction) {
        return false;
    }
}
