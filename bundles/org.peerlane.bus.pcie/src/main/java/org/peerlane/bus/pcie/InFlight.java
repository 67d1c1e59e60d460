package org.peerlane.bus.pcie;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
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
 * <p><b>Owners.</b> A device mostly has one thread, or a few, that do its DMA. The first {@value
 * #OWNERS} get a number each, odd while they are inside: that takes one fence instead of two atomic
 * additions, and no cache line that another thread writes. The number of a thread that has ended
 * goes to the next that comes. Owners are known by their ids: a driver's thread that has ended is
 * not held on to, nor are the driver's classes. An owner may leave without seeing that somebody
 * waits, so who waits for one looks again after a pause; under simulation there is none.
 *
 * <p><b>Locks.</b> One, by those who wait, and by those who leave while somebody waits.
 *
 * <p><b>Cost.</b> On cache lines of its own; no allocation.
 */
final class InFlight {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle OWNER =
            MethodHandles.arrayElementVarHandle(WeakReference[].class);

    /** How many threads have a number of their own. */
    static final int OWNERS = 4;

    /** Longs between what different threads write. */
    private static final int APART = 16;

    private static final int LOOKS = 1000;
    private static final long PAUSE_NANOS = 20_000;

    /** One for each owner, then one for each phase. */
    private final long[] cells = new long[(1 + OWNERS + 2 + 1) * APART];

    /** Their ids, which no other thread ever has; 0: none. Each writes its own only. */
    private final long[] ids = new long[OWNERS];

    private final @Nullable WeakReference<?>[] owners = new WeakReference<?>[OWNERS];
    private volatile int phase;
    private volatile boolean draining;

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
        int mine = enterOwn();
        return mine >= 0 ? mine : enterShared(Thread.currentThread());
    }

    /**
     * {@return which owner the caller is, below {@link #OWNERS}, and it is in now; or -1: it is
     * none, or is in already} It alone has this number until it gives it to {@link #exit}.
     */
    int enterOwn() {
        long me = Thread.currentThread().threadId();
        long[] known = ids;
        for (int i = 0; i < OWNERS; i++) {
            if (known[i] == me) {
                long before = (long) CELL.get(cells, cell(i)); // nobody else writes it
                if ((before & 1) != 0) {
                    return -1;
                }
                CELL.setVolatile(cells, cell(i), before + 1);
                return i;
            }
        }
        return -1;
    }

    private int enterShared(Thread me) {
        if (owned) {
            own(me);
        }
        int mine = OWNERS + phase;
        CELL.getAndAdd(cells, cell(mine), 1L);
        return mine;
    }

    /** From the next time on, if there is room. */
    private void own(Thread me) {
        for (int i = 0; i < OWNERS; i++) {
            if (ids[i] == me.threadId()) {
                return; // inside already
            }
        }
        for (int i = 0; i < OWNERS; i++) {
            WeakReference<?> now = (WeakReference<?>) OWNER.getVolatile(owners, i);
            if (!isAlive(now) && OWNER.compareAndSet(owners, i, now, new WeakReference<>(me))) {
                ids[i] = me.threadId();
                return;
            }
        }
    }

    private static boolean isAlive(@Nullable WeakReference<?> owner) {
        return owner != null && owner.get() instanceof Thread thread && thread.isAlive();
    }

    private static int cell(int number) {
        return (number + 1) * APART;
    }

    void exit(int mine) {
        if (mine < OWNERS) {
            CELL.setRelease(cells, cell(mine), (long) CELL.get(cells, cell(mine)) + 1);
            return;
        }
        long before = (long) CELL.getAndAdd(cells, cell(mine), -1L);
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
        drain(0);
    }

    /** Looks at every owner's number before it waits for anybody: later ones are not waited for. */
    private void drain(int owner) {
        if (owner == OWNERS) {
            drainShared();
            return;
        }
        long seen = (long) CELL.getVolatile(cells, cell(owner));
        drain(owner + 1);
        if ((seen & 1) != 0) {
            awaitOwner(cell(owner), seen);
        }
    }

    private void drainShared() {
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
        while ((long) CELL.getVolatile(cells, cell(OWNERS + which)) != 0) {
            changed.awaitUninterruptibly();
        }
    }

    /** Waits for an owner to leave what it is in. */
    private void awaitOwner(int cell, long seen) {
        for (int i = 0; i < LOOKS; i++) {
            if ((long) CELL.getVolatile(cells, cell) != seen) {
                return;
            }
            Thread.onSpinWait();
        }
        boolean interrupted = false;
        while ((long) CELL.getVolatile(cells, cell) == seen) {
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
