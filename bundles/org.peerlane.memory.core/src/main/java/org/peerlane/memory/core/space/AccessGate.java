package org.peerlane.memory.core.space;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLongArray;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Knows which accesses are under way, so that a zap can wait for those that began with the old
 * entry: what an interrupt to all CPUs does on hardware. One for the machine.
 *
 * <p><b>Model.</b> An access enters, walks the page table, touches memory and leaves; it takes no
 * lock and waits for nothing in between. A zap clears the entry, then flushes. Entering is a full
 * barrier before the walk, and flush has one before it counts: an access that flush does not see
 * sees the cleared entry. Two sets of counters take turns, so that new accesses cannot keep a flush
 * waiting. Kernel counterpart: {@code synchronize_srcu()}.
 *
 * <p><b>Cost.</b> Entering and leaving: one atomic add each, on a cache line that few threads
 * share. A flush with nobody inside: a look at each counter. No allocation.
 *
 * <p><b>Locks.</b> {@code memory.flush}, a leaf, held while a flush waits. A flush from inside an
 * access would wait for itself.
 */
final class AccessGate {
    private static final int STRIPES = 16;
    private static final int LINE = 16; // longs: two cache lines, which are fetched in pairs
    private static final int SET = STRIPES * LINE;

    private final Execution execution;
    private final NamedLock flushing;
    private final AtomicLongArray inside = new AtomicLongArray(2 * SET + LINE);
    private volatile int turn;

    AccessGate(Execution execution) {
        this.execution = execution;
        flushing = execution.lock("memory.flush");
    }

    /** {@return what {@link #leave} wants} */
    int enter() {
        int stripe = (int) Thread.currentThread().threadId() & STRIPES - 1;
        int slot = (turn & 1) * SET + stripe * LINE + LINE / 2;
        inside.getAndIncrement(slot);
        return slot;
    }

    void leave(int slot) {
        inside.getAndDecrement(slot);
    }

    /** Returns when every access that had begun has ended. */
    void flush() {
        VarHandle.fullFence();
        if (isQuiet(0) && isQuiet(1)) {
            return;
        }
        flushing.lock();
        try {
            takeTurn();
            takeTurn();
        } finally {
            flushing.unlock();
        }
    }

    private void takeTurn() {
        int before = turn;
        turn = before + 1;
        boolean interrupted = false;
        for (int spins = 0; !isQuiet(before & 1); spins++) {
            if (spins < 100) {
                Thread.onSpinWait();
            }
            try {
                execution.sleep(0);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@return whether each counter of a set was seen at 0} */
    private boolean isQuiet(int set) {
        for (int i = 0; i < STRIPES; i++) {
            if (inside.get(set * SET + i * LINE + LINE / 2) != 0) {
                return false;
            }
        }
        return true;
    }
}
