package org.peerlane.dmabuf.core.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one thread is in the middle of. <b>Threads.</b> Its own. */
final class ThreadState {
    /** Locks that it holds, oldest first: reservations and what plugins announce. */
    final List<Object> held = new ArrayList<>();

    /** Buffers that it is invalidating, outermost first. */
    final List<Object> invalidating = new ArrayList<>();

    /** What it waits for now; others may read it. */
    volatile @Nullable Object waitsFor;

    /** How deep it is on the way to signal. */
    int signalling;

    /** How deep it is in atomic context: callbacks of fences. */
    int atomic;

    /** The fence that it has put on a timeline last, until that is published. */
    Checks.@Nullable Unpublished made;
}
