package org.peerlane.dmabuf.core.check;

import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.exec.api.Execution;
import org.peerlane.trace.api.Tracer;

/**
 * Watches what threads do with locks, waits and callbacks, and reports broken rules. The core calls
 * it at each step.
 *
 * <p><b>Off</b>, it keeps nothing: each call is one test of a final field. Reports by callers
 * ({@link #violations}) still come.
 *
 * <p><b>Threads.</b> Any; what is kept per thread is that thread's own.
 */
public final class Checks {
    private final boolean on;
    private final Violations violations;
    private final ThreadLocal<ThreadState> states = ThreadLocal.withInitial(ThreadState::new);

    /**
     * @param on whether to keep track at all
     */
    public Checks(Execution execution, Tracer tracer, boolean on) {
        this.on = on;
        violations = new Violations(execution, tracer);
    }

    /** {@return whether anything is kept} */
    public boolean isOn() {
        return on;
    }

    /** {@return where broken rules are reported} */
    public Violations violations() {
        return violations;
    }

    /** This thread has taken a lock that others wait for fences under, such as a reservation. */
    public void acquired(Object lock) {
        if (on) {
            states.get().held.add(lock);
        }
    }

    /** This thread has given such a lock back. */
    public void released(Object lock) {
        if (on) {
            states.get().held.remove(lock);
        }
    }

    /**
     * This thread begins to wait, until {@link #endWait}.
     *
     * @param what a {@link HeldLock}, a fence, or whatever else somebody must end
     */
    public void beginWait(Object what) {
        if (on) {
            states.get().waitsFor = what;
        }
    }

    /** Ends what {@link #beginWait} began. */
    public void endWait() {
        if (on) {
            states.get().waitsFor = null;
        }
    }

    /** This thread enters atomic context: it may not sleep until {@link #leaveAtomic}. */
    public void enterAtomic() {
        if (on) {
            states.get().atomic++;
        }
    }

    /** Ends what {@link #enterAtomic} began. */
    public void leaveAtomic() {
        if (on) {
            states.get().atomic--;
        }
    }

    /** {@return for {@link #endSignalling}} This thread is on the way to signal fences (FE-46). */
    public boolean beginSignalling() {
        if (on) {
            states.get().signalling++;
        }
        return on;
    }

    /** Ends what {@link #beginSignalling} began. */
    public void endSignalling(boolean cookie) {
        if (cookie) {
            states.get().signalling--;
        }
    }

    /** {@return whether this thread is known to be on the way to signal fences} */
    public boolean isSignalling() {
        return on && states.get().signalling > 0;
    }

    /** What a thread has made and not shown to others yet: a fence. */
    public interface Unpublished {
        /** {@return whether it is still to be published} */
        boolean isUnpublished();
    }

    /** This thread has put a fence on a timeline; from here on it may not allocate (CK-35). */
    public void initialised(Unpublished fence) {
        if (on) {
            states.get().made = fence;
        }
    }

    /**
     * This thread is about to take a lock, wait, or call what may sleep.
     *
     * @param owner the bundle whose code it is
     * @param what for the report
     */
    public void mightSleep(String owner, String what) {
        if (on && states.get().atomic > 0) {
            violations.report(
                    "CK-40",
                    Severity.FATAL,
                    owner,
                    0,
                    0,
                    0,
                    what + " in a callback of a fence, which must not sleep");
        }
    }

    /**
     * This thread is about to take a lock under which others wait for fences.
     *
     * @param owner the bundle whose code it is
     * @param what for the report
     */
    public void mightLock(String owner, String what) {
        mightSleep(owner, what);
        if (on && states.get().signalling > 0) {
            violations.report(
                    "CK-33",
                    Severity.FATAL,
                    owner,
                    0,
                    0,
                    0,
                    what
                            + " on the way to signal a fence, while its holder may wait for that fence");
        }
    }

    /**
     * This thread is about to allocate in a way that may reclaim memory.
     *
     * @param owner the bundle whose code it is
     * @param what for the report
     */
    public void mightAllocate(String owner, String what) {
        mightSleep(owner, what);
        if (!on) {
            return;
        }
        ThreadState state = states.get();
        if (state.signalling > 0) {
            violations.report(
                    "CK-32",
                    Severity.FATAL,
                    owner,
                    0,
                    0,
                    0,
                    what + " on the way to signal a fence; allocate before it is published");
        }
        Unpublished made = state.made;
        if (made != null) {
            state.made = null;
            if (made.isUnpublished()) {
                violations.report(
                        "CK-35",
                        Severity.FATAL,
                        owner,
                        0,
                        0,
                        0,
                        "%s after %s was put on its timeline; allocate before"
                                .formatted(what, made));
            }
        }
    }
}
