package org.peerlane.dmabuf.core.resv;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Violation.Severity;

/**
 * A transaction. It is what a reservation's lock holds while the transaction has it.
 *
 * <p><b>Threads.</b> The one that made it; {@link #stamp} and {@link #thread} any.
 */
@SuppressWarnings("ReferenceEquality") // the very reservation
public final class CoreAcquireContext implements AcquireContext {
    private final ReservationClass kind;
    private final Thread thread = Thread.currentThread();
    private final String owner;
    private final long stamp;
    private int held;
    private boolean done;
    private boolean closed;

    /** Where it had to give way; the next lock that it takes must be this one (RV-3). */
    private @Nullable ReservationLock contended;

    CoreAcquireContext(ReservationClass kind, String owner, long stamp) {
        this.kind = kind;
        this.owner = owner;
        this.stamp = stamp;
    }

    @Override
    public long stamp() {
        return stamp;
    }

    /** {@return the thread that it belongs to} */
    public Thread thread() {
        return thread;
    }

    String owner() {
        return owner;
    }

    boolean isOlderThan(CoreAcquireContext other) {
        return stamp < other.stamp;
    }

    @Override
    public int held() {
        return held;
    }

    /** It is about to ask for a lock. */
    void asks(ReservationLock reservation, boolean slow) {
        if (closed || thread != Thread.currentThread()) {
            refuse("locks " + reservation.name() + " with");
        }
        if (done) {
            report(
                    "locks "
                            + reservation.name()
                            + " after done(): a transaction that takes more locks must not say so");
        }
        if (slow && contended == null && held == 0) {
            kind.report(
                    "RV-3",
                    Severity.HINT,
                    owner,
                    0,
                    this
                            + " takes "
                            + reservation.name()
                            + " slowly without an EDEADLK before: lock() would have told it of a deadlock");
        }
        if (contended != null && (held > 0 || contended != reservation)) {
            kind.report(
                    "RV-3",
                    held > 0 ? Severity.FATAL : Severity.WRONG,
                    owner,
                    0,
                    "%s locks %s after EDEADLK on %s with %d held; it must give everything back and wait for that one first"
                            .formatted(this, reservation.name(), contended.name(), held));
        } else if (slow && held > 0) {
            kind.report(
                    "RV-3",
                    Severity.FATAL,
                    owner,
                    0,
                    "%s waits for %s, deadlock or not, with %d held; it must hold nothing"
                            .formatted(this, reservation.name(), held));
        }
    }

    void acquired() {
        held++;
        contended = null;
    }

    void released() {
        held--;
    }

    void gaveWay(ReservationLock reservation) {
        contended = reservation;
    }

    @Override
    public void done() {
        if (closed || thread != Thread.currentThread()) {
            refuse("calls done() of");
        }
        if (done) {
            report("calls done() twice");
        }
        done = true;
    }

    @Override
    public void close() {
        if (thread != Thread.currentThread()) {
            refuse("closes");
        }
        if (closed) {
            report("is closed twice");
        } else if (held > 0) {
            report("ends with " + held + " locks held; unlock them first");
        }
        closed = true;
    }

    private void report(String what) {
        kind.report("RV-5", Severity.WRONG, owner, 0, this + " " + what);
    }

    /** Someone else's, or one that has ended: nobody could say who holds the lock. */
    private void refuse(String what) {
        String why =
                thread == Thread.currentThread()
                        ? "has ended"
                        : "belongs to thread " + thread.getName();
        String sentence =
                "thread %s %s %s, which %s"
                        .formatted(Thread.currentThread().getName(), what, this, why);
        kind.report("RV-5", Severity.FATAL, owner, 0, sentence);
        throw new IllegalStateException(sentence);
    }

    @Override
    public String toString() {
        return "transaction " + stamp;
    }
}
