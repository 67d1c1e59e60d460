package org.peerlane.dmabuf.core.check;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one thread is in the middle of. <b>Threads.</b> Its own. */
final class ThreadState {
    /** Locks that it holds, oldest first. */
    final HeldLocks held = new HeldLocks();

    /** Of them, how many are reservations. */
    int reservations;

    /** Locks that it has taken since it came onto the way to signal. */
    final List<Object> onTheWay = new ArrayList<>();

    /**
     * Importers' callbacks that it is in, outermost first: whether a reservation of slots failed.
     */
    final List<Boolean> callbacks = new ArrayList<>();

    /** What it waits for now. */
    @Nullable Wait wait;

    /** Whether it is inside of the checks: what they do is not watched. */
    boolean checking;

    /** How deep it is on the way to signal. */
    int signalling;

    /** How deep it is in atomic context: callbacks of fences. */
    int atomic;

    /** How often it has the mmap lock. */
    int mmap;

    /** The fence that it has put on a timeline last, until that is published. */
    Checks.@Nullable Unpublished made;

    /** {@return the buffer of the reservation that it took last, or 0} */
    long buffer() {
        for (int i = held.size() - 1; i >= 0; i--) {
            if (held.lock(i) instanceof HeldLock lock) {
                return lock.buffer();
            }
        }
        return 0;
    }
}
