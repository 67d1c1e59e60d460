package org.peerlane.bus.pcie;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.Condition;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Counts what is under way, so that somebody who has just closed a door can wait for those who
 * passed it before. Whoever enters while another waits is not waited for, so steady traffic does
 * not hold up the wait.
 *
 * <p><b>Protocol.</b> Whoever works: {@link #enter}, read the door (a volatile), work, {@link
 * #exit}. Whoever waits: write the door, {@link #drain}. Two counters take turns; each is seen at 0
 * once after the door was closed, and that is enough.
 *
 * <p><b>Locks.</b> One, by those who wait, and by those who leave while somebody waits.
 *
 * <p><b>Cost.</b> Two atomic additions on a cache line of its own; no allocation.
 */
final class InFlight {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

    /** Longs between what different threads write. */
    private static final int APART = 16;

    private final long[] cells = new long[4 * APART];
    private volatile int phase;
    private volatile boolean draining;

    private final NamedLock lock;
    private final Condition changed;

    InFlight(Execution execution, String name) {
        lock = execution.lock(name);
        changed = lock.newCondition("drained");
    }

    /** {@return to be given to {@link #exit}} */
    int enter() {
        int mine = phase;
        CELL.getAndAdd(cells, (mine + 1) * APART, 1L);
        return mine;
    }

    void exit(int mine) {
        long before = (long) CELL.getAndAdd(cells, (mine + 1) * APART, -1L);
        if (before == 1 && draining) {
            lock.lock();
            try {
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Waits, without limit, for all who entered before; never call it in between yourself. */
    void drain() {
        lock.lock();
        try {
            while (draining) {
                changed.awaitUninterruptibly();
            }
            draining = true;
            int now = phase;
            awaitZero(1 - now);
            phase = 1 - now;
            awaitZero(now);
            draining = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void awaitZero(int which) {
        assert lock.isHeldByCurrentThread();
        while ((long) CELL.getVolatile(cells, (which + 1) * APART) != 0) {
            changed.awaitUninterruptibly();
        }
    }
}
