package org.peerlane.dmabuf.core.resv;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.HeldLock;
import org.peerlane.dmabuf.core.fence.CoreFence;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * A reservation: a {@link WaitDieLock} and a {@link FenceList}, and who breaks their rules is
 * reported.
 *
 * <p><b>Life.</b> Free and empty from {@link ReservationClass#newReservation}; {@link #close} once
 * nobody uses it any more. <b>Threads.</b> Any.
 *
 * <p><b>Interrupts.</b> One that ends a wait stays pending for the thread, as a signal does.
 */
@SuppressWarnings("ReferenceEquality") // the very thread, the very fence
public final class CoreReservation implements Reservation, HeldLock {
    private final ReservationClass kind;
    private final String name;
    private final String owner;
    private final long buffer;
    private final WaitDieLock lock;
    private final FenceList fences;

    /** Buffers of it, while checks are on. */
    private final List<Moves> moves = new CopyOnWriteArrayList<>();

    private final String taking;
    private final String waiting;

    CoreReservation(ReservationClass kind, String name, String owner, long buffer) {
        this.kind = kind;
        this.name = name;
        this.owner = owner;
        this.buffer = buffer;
        lock = new WaitDieLock(kind);
        fences = new FenceList(kind.read, kind.waited, kind.execution.isSimulated());
        taking = "takes " + name;
        waiting = "waits for the fences of " + name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String toString() {
        return name;
    }

    // ---- the lock

    @Override
    public void lock(@Nullable AcquireContext context) {
        take(context, false, false);
    }

    @Override
    public void lockInterruptible(@Nullable AcquireContext context) {
        take(context, true, false);
    }

    @Override
    public void lockSlow(AcquireContext context) {
        take(context, false, true);
    }

    @Override
    public void lockSlowInterruptible(AcquireContext context) {
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
    public boolean tryLock() {
        boolean taken = lock.tryTake(Thread.currentThread());
        if (taken) {
            isTaken(null);
        }
        return taken;
    }

    @Override
    public void unlock() {
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
                    new ReservationEvents.ReservationUnlocked(
                            name, me.getName(), fences.reserved()));
        }
        fences.forgetReserved();
        kind.checks.released(this);
        lock.release();
    }

    @Override
    public boolean isHeld() {
        Object holder = lock.word();
        Thread me = Thread.currentThread();
        return holder == me
                || (holder instanceof CoreAcquireContext transaction && transaction.thread() == me);
    }

    @Override
    public boolean isLocked() {
        return lock.word() != null;
    }

    @Override
    public @Nullable AcquireContext context() {
        return lock.word() instanceof CoreAcquireContext transaction ? transaction : null;
    }

    @Override
    public @Nullable Thread holder() {
        return WaitDieLock.threadOf(lock.word());
    }

    @Override
    public long buffer() {
        return buffer;
    }

    @Override
    public boolean isHeldInTransaction() {
        return lock.word() instanceof CoreAcquireContext;
    }

    @Override
    public boolean givesWay(Object transaction) {
        return transaction instanceof CoreAcquireContext mine
                && lock.word() instanceof CoreAcquireContext holder
                && holder.isOlderThan(mine);
    }

    /** {@return the name of the thread that holds it, or null; the lock is not taken for it} */
    public @Nullable String holderName() {
        Thread holder = holder();
        return holder == null ? null : holder.getName();
    }

    /** {@return the names of the threads that wait for it, next first; the lock is not taken} */
    public List<String> waiterNames() {
        return lock.waiters();
    }

    private static String nameOf(@Nullable Object holder) {
        Thread thread = WaitDieLock.threadOf(holder);
        return thread == null ? "nobody" : thread.getName();
    }

    // ---- the fences

    @Override
    public void reserveFences(int count) {
        assertHeld("reserves slots of");
        if (count <= 0) {
            String sentence = "%d slots of %s, expected 1 or more".formatted(count, name);
            report("RV-10", Severity.WRONG, sentence);
            throw new ErrnoException(Errno.EINVAL, sentence);
        }
        if (fences.reserved() >= count) {
            return;
        }
        try {
            kind.reserve.reached();
            fences.reserve(count);
        } catch (ErrnoException e) {
            kind.checks.reserveFailed();
            throw e;
        }
        if (kind.reserved.isOn()) {
            kind.reserved.emit(new ReservationEvents.FencesReserved(name, count));
        }
    }

    @Override
    public int reserved() {
        return fences.reserved();
    }

    /** Tells somebody of moves from now on; for the life of the reservation. */
    public void watch(Moves watcher) {
        moves.add(watcher);
    }

    /** Tells somebody of moves no more. */
    public void unwatch(Moves watcher) {
        moves.remove(watcher);
    }

    @Override
    public void addFence(Fence fence, FenceUsage usage) {
        assertHeld("adds a fence to");
        if (fence.isContainer()) {
            report(
                    "CK-22",
                    Severity.WRONG,
                    "%s gets %s, a container: slots merge by context, so add its members"
                            .formatted(name, fence));
        }
        kind.add.reached();
        Fence old;
        try {
            old = fences.add(fence, usage);
        } catch (FenceList.NoSlotException e) {
            String sentence =
                    "%s gets %s for %s without a reserved slot: reserve in the same critical section, and again after what may have added fences"
                            .formatted(name, fence, usage);
            report("CK-20", Severity.FATAL, sentence);
            throw new IllegalStateException(sentence, e);
        }
        if (old != null) {
            if (old != fence
                    && fence instanceof CoreFence core
                    && core.context() == old.context()) {
                core.overwrote(old, name);
            }
            old.put();
        }
        kind.checks.fenceAdded();
        if (usage == FenceUsage.KERNEL && fence instanceof CoreFence move) {
            for (Moves one : moves) {
                one.begins(move);
            }
        }
        if (kind.fenceAdded.isOn()) {
            kind.fenceAdded.emit(
                    new ReservationEvents.FenceAdded(
                            name, usage, fence.context(), fence.seqno(), old != null));
        }
        kind.added.reached();
    }

    @Override
    public void replaceFences(long fenceContext, Fence fence, FenceUsage usage) {
        assertHeld("replaces fences of");
        fences.replace(
                fenceContext,
                fence,
                usage,
                (old, under) -> reportUncovered(Coverage.replaced(name, old, under, fence, usage)));
        if (kind.replaced.isOn()) {
            kind.replaced.emit(
                    new ReservationEvents.FencesReplaced(
                            name, fenceContext, usage, fence.context(), fence.seqno()));
        }
    }

    private void reportUncovered(@Nullable String sentence) {
        if (sentence != null) {
            report("CK-23", Severity.WRONG, sentence);
        }
    }

    @Override
    public void copyFences(Reservation source) {
        assertHeld("replaces the list of");
        if (!(source instanceof CoreReservation from)) {
            throw new IllegalArgumentException(source + " is no reservation of this machine");
        }
        if (from == this) {
            return;
        }
        kind.copy.reached();
        List<Fence> copied = new ArrayList<>();
        List<FenceUsage> usages = new ArrayList<>();
        from.fences.collect(FenceUsage.BOOKKEEP, copied, usages);
        fences.forEachHeld(
                (old, under) -> reportUncovered(Coverage.lost(name, old, under, copied, usages)));
        fences.replaceAll(copied, usages);
        if (kind.copied.isOn()) {
            kind.copied.emit(new ReservationEvents.FencesCopied(name, from.name, copied.size()));
        }
    }

    @Override
    public void forEachFence(FenceUsage usage, FenceVisitor visitor) {
        fences.forEach(usage, visitor);
    }

    @Override
    public List<Fence> getFences(FenceUsage usage) {
        kind.collect.reached();
        List<Fence> collected = new ArrayList<>();
        fences.collect(usage, collected, new ArrayList<>());
        return collected;
    }

    @Override
    public @Nullable Fence getSingleton(FenceUsage usage) {
        List<Fence> collected = getFences(usage);
        if (collected.isEmpty()) {
            return null;
        }
        if (collected.size() == 1) {
            return collected.getFirst();
        }
        boolean made = false;
        try {
            kind.singleton.reached();
            Fence array = kind.fences.array(collected, kind.fences.allocateContexts(1), 1, false);
            made = true;
            return array;
        } finally {
            if (!made) {
                collected.forEach(Fence::put);
            }
        }
    }

    @Override
    public long waitTimeout(FenceUsage usage, boolean interruptible, long timeoutNanos) {
        if (timeoutNanos < 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "a limit of %d ns, expected 0 or more".formatted(timeoutNanos));
        }
        if (timeoutNanos > 0) {
            kind.checks.mightSleep(owner, waiting);
        }
        return fences.waitTimeout(usage, isHeld(), interruptible, timeoutNanos);
    }

    @Override
    public boolean testSignaled(FenceUsage usage) {
        return fences.testSignaled(usage, isHeld());
    }

    @Override
    public void setDeadline(FenceUsage usage, long nanoTime) {
        fences.forEach(usage, (fence, under) -> fence.setDeadline(nanoTime));
    }

    /** Nobody uses it any more: lets go of its fences. Kernel counterpart: dma_resv_fini. */
    public void close() {
        fences.replaceAll(List.of(), List.of());
    }

    /** The kernel's lock assertion: reported, and the call goes on. */
    private void assertHeld(String what) {
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

    private void report(String rule, Severity severity, String sentence) {
        kind.report(rule, severity, owner, buffer, sentence);
    }
}
