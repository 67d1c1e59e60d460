package org.peerlane.dmabuf.core.check;

import org.jspecify.annotations.Nullable;

/** A lock that one thread holds while others wait for it: an edge of the graph of waits. */
public interface HeldLock {
    /** {@return for reports, such as {@code system#17}} */
    String name();

    /** {@return who holds it now, or null; out of date as soon as it is read} */
    @Nullable Thread holder();
}
