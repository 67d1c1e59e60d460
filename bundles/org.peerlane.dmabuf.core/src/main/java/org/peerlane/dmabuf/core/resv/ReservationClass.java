package org.peerlane.dmabuf.core.resv;

import java.util.concurrent.atomic.AtomicLong;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/**
 * What all reservations of a machine share: the order of transactions, checkpoints and tracepoints.
 * Kernel counterpart: {@code reservation_ww_class}, of the wait-die kind (RV-1).
 *
 * <p><b>Threads.</b> Any.
 */
public final class ReservationClass {
    final Execution execution;
    final Checks checks;
    final Fences fences;

    /** Between the look at a free lock and the try to take it. Nothing has changed yet. */
    final Checkpoint beforeTake;

    /** Between the look at a free lock and the try to give it to who is next in the queue. */
    final Checkpoint beforeGrant;

    /** Who has queued has looked, and is about to wait. */
    final Checkpoint beforeSleep;

    /** A transaction has taken the lock and has not yet looked who queued meanwhile. */
    final Checkpoint taken;

    /** The lock is not to be had; the caller has not queued yet. */
    final Checkpoint contended;

    /** Between the holder's look whether anybody waits and its letting go of the lock. */
    final Checkpoint beforeFree;

    /** The lock is free; the holder has not yet looked whether anybody queued meanwhile. */
    final Checkpoint freed;

    /** An older transaction is in the way; {@code EDEADLK} is next. */
    final Checkpoint backsOff;

    /** An unlocked reader has read a fence and has no reference yet. */
    final Checkpoint read;

    /** An unlocked waiter has waited for one fence and looks for more. */
    final Checkpoint waited;

    /** Slots have to be found; what is thrown here, such as {@code ENOMEM}, changes nothing. */
    final Checkpoint reserve;

    /** A fence is about to be added. */
    final Checkpoint add;

    /** A fence has been added and may be seen. */
    final Checkpoint added;

    /** Fences are about to be collected; what is thrown here changes nothing. */
    final Checkpoint collect;

    /** The fences of another reservation are about to come; what is thrown here changes nothing. */
    final Checkpoint copy;

    /** An array of fences is about to be made; what is thrown here changes nothing. */
    final Checkpoint singleton;

    final Tracepoint<ReservationEvents.ReservationLocked> locked;
    final Tracepoint<ReservationEvents.ReservationUnlocked> unlocked;
    final Tracepoint<ReservationEvents.ReservationContended> contends;
    final Tracepoint<ReservationEvents.ReservationBackedOff> backedOff;
    final Tracepoint<ReservationEvents.FencesReserved> reserved;
    final Tracepoint<ReservationEvents.FenceAdded> fenceAdded;
    final Tracepoint<ReservationEvents.FencesReplaced> replaced;
    final Tracepoint<ReservationEvents.FencesCopied> copied;

    private final AtomicLong stamps = new AtomicLong();

    /**
     * @param fences makes the arrays of {@code getSingleton}
     */
    public ReservationClass(Execution execution, Tracer tracer, Checks checks, Fences fences) {
        this.execution = execution;
        this.checks = checks;
        this.fences = fences;
        beforeTake = execution.checkpoint("dmabuf.resv.lock.before-take");
        beforeSleep = execution.checkpoint("dmabuf.resv.lock.before-sleep");
        beforeGrant = execution.checkpoint("dmabuf.resv.lock.before-grant");
        taken = execution.checkpoint("dmabuf.resv.lock.taken");
        contended = execution.checkpoint("dmabuf.resv.lock.contended");
        beforeFree = execution.checkpoint("dmabuf.resv.unlock.before-free");
        freed = execution.checkpoint("dmabuf.resv.unlock.freed");
        backsOff = execution.checkpoint("dmabuf.resv.lock.backs-off");
        read = execution.checkpoint("dmabuf.resv.read");
        waited = execution.checkpoint("dmabuf.resv.waited");
        reserve = execution.checkpoint("dmabuf.resv.reserve");
        add = execution.checkpoint("dmabuf.resv.add");
        added = execution.checkpoint("dmabuf.resv.added");
        collect = execution.checkpoint("dmabuf.resv.collect");
        copy = execution.checkpoint("dmabuf.resv.copy");
        singleton = execution.checkpoint("dmabuf.resv.singleton");
        locked = tracer.point(ReservationEvents.ReservationLocked.class);
        unlocked = tracer.point(ReservationEvents.ReservationUnlocked.class);
        contends = tracer.point(ReservationEvents.ReservationContended.class);
        backedOff = tracer.point(ReservationEvents.ReservationBackedOff.class);
        reserved = tracer.point(ReservationEvents.FencesReserved.class);
        fenceAdded = tracer.point(ReservationEvents.FenceAdded.class);
        replaced = tracer.point(ReservationEvents.FencesReplaced.class);
        copied = tracer.point(ReservationEvents.FencesCopied.class);
    }

    /**
     * Makes a reservation, free and without fences.
     *
     * @param name for reports, such as {@code system#17}
     * @param owner the bundle that it belongs to
     * @param buffer the buffer's id; 0 for one that is shared
     */
    public CoreReservation newReservation(String name, String owner, long buffer) {
        return new CoreReservation(this, name, owner, buffer);
    }

    /**
     * Begins a transaction of this thread, younger than all before it.
     *
     * @param owner the bundle that it belongs to
     */
    public CoreAcquireContext acquire(String owner) {
        return new CoreAcquireContext(this, owner, stamps.incrementAndGet());
    }

    void report(String rule, Severity severity, String owner, long buffer, String sentence) {
        checks.violations().report(rule, severity, owner, buffer, 0, 0, sentence);
    }
}
