package org.peerlane.dmabuf.core.resv;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;

/**
 * A mutex that transactions take in any order. Kernel counterpart: {@code struct ww_mutex} of the
 * wait-die kind.
 *
 * <p><b>The word.</b> One field says who holds it: a thread, or a transaction, which knows its
 * thread. Free and taken differ by one compare-and-set of it.
 *
 * <p><b>The queue.</b> Who does not get the lock queues under a lock of its own and says so in a
 * count <em>before</em> looking at the word again; who gives the lock up empties the word
 * <em>before</em> looking at the count. One of them sees the other, so no wake-up is lost. The same
 * holds for a transaction that takes the lock and a younger one that queues: one of them sees that
 * the younger must give way. With somebody in the queue the lock goes from hand to hand, and nobody
 * takes it from the side.
 *
 * <p><b>Threads.</b> Any. <b>Locks.</b> The queue's is a leaf. <b>Cost.</b> Uncontended: one
 * compare-and-set to take, one volatile write to give back. A wait makes two objects.
 */
final class WaitDieLock {
    /** How an attempt ended. */
    enum Outcome {
        /** The lock is the caller's. */
        TAKEN,
        /** An older transaction holds it or waits for it. */
        DIES,
        /** By an interrupt, which stays pending. */
        INTERRUPTED
    }

    private static final VarHandle WORD;

    static {
        try {
            WORD = MethodHandles.lookup().findVarHandle(WaitDieLock.class, "word", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ReservationClass kind;
    private final NamedLock queueLock;

    /** Guarded by queueLock. */
    private final WaitQueue queue = new WaitQueue();

    /** The size of the queue; written under queueLock. */
    private volatile int waiting;

    /** Null, the {@link Thread} that holds it, or the {@link CoreAcquireContext}. */
    private volatile @Nullable Object word;

    WaitDieLock(ReservationClass kind) {
        this.kind = kind;
        queueLock = kind.execution.lock("dmabuf.reservation.queue");
    }

    /** {@return null, a thread, or a transaction} */
    @Nullable Object word() {
        return word;
    }

    static @Nullable Thread threadOf(@Nullable Object word) {
        return word instanceof CoreAcquireContext transaction
                ? transaction.thread()
                : (Thread) word;
    }

    /** {@return who waits, first the one that is next} */
    List<String> waiters() {
        queueLock.lock();
        try {
            return queue.names();
        } finally {
            queueLock.unlock();
        }
    }

    /** {@return whether it was free with nobody waiting, and is the caller's now} */
    boolean tryTake(Object mine) {
        if (word != null || waiting != 0) {
            return false;
        }
        kind.beforeTake.reached();
        return WORD.compareAndSet(this, null, mine);
    }

    /** A transaction has taken the lock by {@link #tryTake}: who queued meanwhile gives way. */
    void taken(CoreAcquireContext holder) {
        if (waiting == 0) {
            return;
        }
        queueLock.lock();
        try {
            queue.wakeYounger(holder);
        } finally {
            queueLock.unlock();
        }
    }

    /** Waits for the lock. */
    Outcome waitFor(
            @Nullable CoreAcquireContext transaction,
            boolean mayDie,
            boolean interruptible,
            String conditionName) {
        queueLock.lock();
        try {
            Waiter waiter =
                    new Waiter(
                            queueLock.newCondition(conditionName),
                            transaction == null ? Thread.currentThread() : transaction,
                            transaction,
                            mayDie);
            if (!queue.insert(waiter)) {
                return Outcome.DIES;
            }
            waiting = queue.size();
            boolean ended = false;
            try {
                Outcome outcome = waitQueued(waiter, interruptible);
                ended = true;
                return outcome;
            } finally {
                if (!waiter.granted) {
                    queue.remove(waiter);
                    waiting = queue.size();
                    passOn(); // it may have been the one that was to take it
                } else if (!ended) {
                    giveAway(); // an action at a checkpoint threw
                }
            }
        } finally {
            queueLock.unlock();
        }
    }

    private Outcome waitQueued(Waiter waiter, boolean interruptible) {
        while (true) {
            if (word == null) {
                passOn();
            }
            if (waiter.granted) {
                return Outcome.TAKEN;
            }
            if (interruptible && waiter.thread.isInterrupted()) {
                return Outcome.INTERRUPTED;
            }
            if (waiter.mayDie && mustDie(waiter)) {
                return Outcome.DIES;
            }
            kind.beforeSleep.reached();
            waiter.sleep(interruptible);
        }
    }

    private boolean mustDie(Waiter waiter) {
        CoreAcquireContext mine = waiter.transaction;
        return mine != null
                && (WaitQueue.isBehindTransaction(waiter)
                        || (word instanceof CoreAcquireContext holder && holder.isOlderThan(mine)));
    }

    /** Gives a free lock to who is next, if anybody is. */
    private void passOn() {
        assert queueLock.isHeldByCurrentThread();
        Waiter next = queue.first();
        if (next == null || word != null) {
            return;
        }
        try {
            kind.beforeGrant.reached();
        } finally {
            if (WORD.compareAndSet(this, null, next.word)) {
                granted(next);
            }
        }
    }

    private void granted(Waiter next) {
        queue.remove(next);
        waiting = queue.size();
        next.granted = true;
        next.wake();
        if (next.transaction != null) {
            queue.wakeYounger(next.transaction);
        }
    }

    /** The holder gives the lock up. */
    void release() {
        if (waiting != 0) {
            handOver();
            return;
        }
        try {
            kind.beforeFree.reached();
        } finally {
            word = null;
        }
        try {
            kind.freed.reached();
        } finally {
            if (waiting != 0) {
                wakeNext();
            }
        }
    }

    private void handOver() {
        queueLock.lock();
        try {
            giveAway();
        } finally {
            queueLock.unlock();
        }
    }

    /** The lock goes from the caller to who is next, or is free. */
    private void giveAway() {
        assert queueLock.isHeldByCurrentThread();
        Waiter next = queue.first();
        if (next == null) {
            word = null;
        } else {
            word = next.word;
            granted(next);
        }
    }

    private void wakeNext() {
        queueLock.lock();
        try {
            passOn();
        } finally {
            queueLock.unlock();
        }
    }
}
