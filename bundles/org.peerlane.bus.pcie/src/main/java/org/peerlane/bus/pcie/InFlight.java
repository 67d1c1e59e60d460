package org.peerlane.bus.pcie;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
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
 * <p><b>The owner.</b> A device mostly has one thread that does its DMA. The first that comes gets
 * a number of its own, odd while it is inside: that takes one fence instead of two atomic
 * additions. It may leave without seeing that somebody waits, so who waits for the owner looks
 * again after a pause; under simulation there is no owner.
 *
 * <p><b>Locks.</b> One, by those who wait, and by those who leave while somebody waits.
 *
 * <p><b>Cost.</b> On cache lines of its own; no allocation.
 */
final class InFlight {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle OWNER;

    static {
        try {
            OWNER = MethodHandles.lookup().findVarHandle(InFlight.class, "owner", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Longs between what different threads write. */
    private static final int APART = 16;

    private static final int OWN_CELL = 3 * APART;

    /** What {@link #enter} answers the owner, who then is alone with this answer. */
    static final int OWN = 2;

    private static final int LOOKS = 1000;
    private static final long PAUSE_NANOS = 20_000;

    private final long[] cells = new long[5 * APART];
    private volatile int phase;
    private volatile boolean draining;

    @SuppressWarnings("unused") // through OWNER
    private @Nullable Thread owner;

    private final boolean owned;
    private final Execution execution;
    private final NamedLock lock;
    private final Condition changed;

    InFlight(Execution execution, String name) {
        this.execution = execution;
        owned = !execution.isSimulated();
        lock = execution.lock(name);
        changed = lock.newCondition("drained");
    }

    /** {@return to be given to {@link #exit}} */
    int enter() {
        return enterOwn() ? OWN : enterShared(Thread.currentThread());
    }

    /**
     * {@return whether the caller is the owner and is in now; to be given {@link #OWN} to leave}
     */
    boolean enterOwn() {
        if (owner != Thread.currentThread()) {
            return false;
        }
        long before = (long) CELL.get(cells, OWN_CELL); // nobody else writes it
        if ((before & 1) != 0) {
            return false;
        }
        CELL.setVolatile(cells, OWN_CELL, before + 1);
        return true;
    }

    private int enterShared(Thread me) {
        if (owned) {
            Thread now = owner;
            if (now == null || !now.isAlive()) {
                OWNER.compareAndSet(this, now, me); // from the next time on
            }
        }
        int mine = phase;
        CELL.getAndAdd(cells, (mine + 1) * APART, 1L);
        return mine;
    }

    void exit(int mine) {
        if (mine == OWN) {
            CELL.setRelease(cells, OWN_CELL, (long) CELL.get(cells, OWN_CELL) + 1);
            return;
        }
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
        VarHandle.fullFence();
        long owners = (long) CELL.getVolatile(cells, OWN_CELL);
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
        awaitOwner(owners);
    }

    private void awaitZero(int which) {
        assert lock.isHeldByCurrentThread();
        while ((long) CELL.getVolatile(cells, (which + 1) * APART) != 0) {
            changed.awaitUninterruptibly();
        }
    }

    /** Waits for the owner to leave what it was in. */
    private void awaitOwner(long seen) {
        if ((seen & 1) == 0) {
            return;
        }
        for (int i = 0; i < LOOKS; i++) {
            if ((long) CELL.getVolatile(cells, OWN_CELL) != seen) {
                return;
            }
            Thread.onSpinWait();
        }
        boolean interrupted = false;
        while ((long) CELL.getVolatile(cells, OWN_CELL) == seen) {
            try {
                execution.sleep(PAUSE_NANOS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
