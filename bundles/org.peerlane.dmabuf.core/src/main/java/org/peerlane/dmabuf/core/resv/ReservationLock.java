package org.peerlane.dmabuf.core.resv;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.HeldLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The half of a reservation that is a lock: a {@link WaitDieLock}, and who takes it, waits for it
 * or lets go of it against the rules is told or reported.
 *
 * <p><b>Threads.</b> Any. <b>Interrupts.</b> One that ends a wait stays pending for the thread, as
 * a signal does.
 */
@SuppressWarnings("ReferenceEquality") // the very thread
public abstract class ReservationLock implements Reservation, HeldLock {
    final ReservationClass kind;
    final String name;
    final String owner;
    private final long buffer;
    private final WaitDieLock lock;
    private final String taking;

    ReservationLock(ReservationClass kind, String name, String owner, long buffer) {
        this.kind = kind;
        this.name = name;
        this.owner = owner;
        this.buffer = buffer;
        lock = new WaitDieLock(kind);
        taking = "takes " + name;
    }

    /** Its holder is about to let go. */
    abstract void unlocking();

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String toString() {
        return name;
    }

    @Override
    public final void lock(@Nullable AcquireContext context) {
        take(context, false, false);
    }

    @Override
    public final void lockInterruptible(@Nullable AcquireContext context) {
        take(context, true, false);
    }

    @Override
    public final void lockSlow(AcquireContext context) {
        take(context, false, true);
    }

    @Override
    public final void lockSlowInterruptible(AcquireContext context) {
        take(context, true, true);
    }

    private void take(@Nullable AcquireContext context, boolean interruptible, boolean slow) {
        kind.checks.mightLock(owner, taking);
        CoreAcquireContext transaction = transaction(context);
        kind.checks.taking(this, owner, transaction != null);
        if (transaction == null) {
            if (!lock.tryTake(Thread.currentThread())) {
                await(null, interruptible, slow);
            }
        } else {
            transaction.asks(this, slow);
            if (lock.tryTake(transaction)) {
                taken(transaction);
            } else {
                await(transaction, interruptible, slow);
            }
            transaction.acquired();
        }
        isTaken(transaction);
    }

    private void taken(CoreAcquireContext transaction) {
        boolean seen = false;
        try {
            kind.taken.reached();
            seen = true;
        } finally {
            if (!seen) {
                lock.release(); // an action at the checkpoint threw
            }
        }
        lock.taken(transaction);
    }

    private void isTaken(@Nullable CoreAcquireContext transaction) {
        kind.checks.acquired(this);
        if (kind.locked.isOn()) {
            kind.locked.emit(
                    new ReservationEvents.ReservationLocked(
                            name, Thread.currentThread().getName(), stamp(transaction)));
        }
    }

    private static long stamp(@Nullable CoreAcquireContext transaction) {
        return transaction == null ? 0 : transaction.stamp();
    }

    private static @Nullable CoreAcquireContext transaction(@Nullable AcquireContext context) {
        if (context == null || context instanceof CoreAcquireContext) {
            return (CoreAcquireContext) context;
        }
        throw new IllegalArgumentException(
                context + " is no transaction of this machine: DmaBufs.acquire() makes them");
    }

    /** The lock was not free. */
    private void await(
            @Nullable CoreAcquireContext transaction, boolean interruptible, boolean slow) {
        Object holder = lock.word();
        if (holder != null && WaitDieLock.threadOf(holder) == Thread.currentThread()) {
            refuseAgain(transaction, holder);
        }
        kind.contended.reached();
        String holderName = nameOf(holder);
        if (kind.contends.isOn()) {
            kind.contends.emit(
                    new ReservationEvents.ReservationContended(
                            name,
                            Thread.currentThread().getName(),
                            stamp(transaction),
                            holderName));
        }
        boolean mayDie = transaction != null && transaction.held() > 0 && !slow;
        WaitDieLock.Outcome outcome;
        kind.checks.beginWait(this, transaction, mayDie);
        try {
            outcome = lock.waitFor(transaction, mayDie, interruptible, name + " of " + holderName);
        } finally {
            kind.checks.endWait();
        }
        switch (outcome) {
            case TAKEN -> {}
            case INTERRUPTED ->
                    throw new ErrnoException(Errno.EINTR, "interrupted in the wait for " + name);
            case DIES -> giveWay(transaction);
        }
    }

    private void giveWay(@Nullable CoreAcquireContext transaction) {
        if (transaction == null) {
            throw new AssertionError("only a transaction gives way");
        }
        transaction.gaveWay(this);
        if (kind.backedOff.isOn()) {
            kind.backedOff.emit(
                    new ReservationEvents.ReservationBackedOff(
                            name, transaction.thread().getName(), transaction.stamp()));
        }
        kind.backsOff.reached();
        throw new ErrnoException(
                Errno.EDEADLK,
                "%s wants %s, and an older one has it or waits for it; give back all %d locks, then lockSlow"
                        .formatted(transaction, name, transaction.held()));
    }

    /** This thread has the lock already. */
    private void refuseAgain(@Nullable CoreAcquireContext transaction, Object holder) {
        if (transaction != null && transaction.equals(holder)) {
            throw new ErrnoException(Errno.EALREADY, transaction + " has " + name + " already");
        }
        String sentence =
                "thread %s takes %s%s, which it holds%s: nobody would ever wake it"
                        .formatted(
                                Thread.currentThread().getName(),
                                name,
                                transaction == null ? "" : " with " + transaction,
                                holder instanceof CoreAcquireContext other ? " with " + other : "");
        report("RV-2", Severity.FATAL, sentence);
        throw new IllegalStateException(sentence);
    }

    @Override
    public final boolean tryLock() {
        boolean taken = lock.tryTake(Thread.currentThread());
        if (taken) {
            isTaken(null);
        }
        return taken;
    }

    @Override
    public final void unlock() {
        Object holder = lock.word();
        Thread me = Thread.currentThread();
        if (holder != me) {
            if (holder instanceof CoreAcquireContext transaction && transaction.thread() == me) {
                transaction.released();
            } else {
                String sentence =
                        "thread %s unlocks %s, which %s holds"
                                .formatted(me.getName(), name, nameOf(holder));
                report("CK-16", Severity.FATAL, sentence);
                throw new IllegalStateException(sentence);
            }
        }
        if (kind.unlocked.isOn()) {
            kind.unlocked.emit(
                    new ReservationEvents.ReservationUnlocked(name, me.getName(), reserved()));
        }
        unlocking();
        kind.checks.released(this);
        lock.release();
    }

    @Override
    public final boolean isHeld() {
        Object holder = lock.word();
        Thread me = Thread.currentThread();
        return holder == me
                || (holder instanceof CoreAcquireContext transaction && transaction.thread() == me);
    }

    @Override
    public final boolean isLocked() {
        return lock.word() != null;
    }

    @Override
    public final @Nullable AcquireContext context() {
        return lock.word() instanceof CoreAcquireContext transaction ? transaction : null;
    }

    @Override
    public final @Nullable Thread holder() {
        return WaitDieLock.threadOf(lock.word());
    }

    @Override
    public final long buffer() {
        return buffer;
    }

    @Override
    public final boolean isHeldInTransaction() {
        return lock.word() instanceof CoreAcquireContext;
    }

    @Override
    public final boolean givesWay(Object transaction) {
        return transaction instanceof CoreAcquireContext mine
                && lock.word() instanceof CoreAcquireContext holder
                && holder.isOlderThan(mine);
    }

    /** {@return the name of the thread that holds it, or null; the lock is not taken for it} */
    public final @Nullable String holderName() {
        Thread holder = holder();
        return holder == null ? null : holder.getName();
    }

    /** {@return the names of the threads that wait for it, next first; the lock is not taken} */
    public final List<String> waiterNames() {
        return lock.waiters();
    }

    private static String nameOf(@Nullable Object holder) {
        Thread thread = WaitDieLock.threadOf(holder);
        return thread == null ? "nobody" : thread.getName();
    }

    /** The kernel's lock assertion: reported, and the call goes on. */
    final void assertHeld(String what) {
        if (!isHeld()) {
            Object holder = lock.word();
            report(
                    "CK-16",
                    Severity.FATAL,
                    "thread %s %s %s, which %s holds; it must hold it itself"
                            .formatted(
                                    Thread.currentThread().getName(), what, name, nameOf(holder)));
        }
    }

    final void report(String rule, Severity severity, String sentence) {
        kind.report(rule, severity, owner, buffer, sentence);
    }
}
