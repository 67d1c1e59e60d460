package org.peerlane.dmabuf.core.check;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.LockClasses.LockClass;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.trace.api.Tracer;

/**
 * Watches what threads do with locks, waits and callbacks, and reports broken rules. The core calls
 * it at each step; {@link #observe} has executions tell of other locks.
 *
 * <p><b>Off</b>, it keeps nothing: each call is one test of a final field. Reports by callers
 * ({@link #violations}) still come.
 *
 * <p><b>Threads.</b> Any; what is kept per thread is that thread's own.
 */
public final class Checks {
    /** Locks taken on the way to signal that are remembered. */
    private static final int ON_THE_WAY = 8;

    private static final Object MMAP = new Object();
    private static final Object SIGNALLING = new Object();

    private final boolean on;
    private final Violations violations;
    private final LockClasses classes;
    private final WaitGraph graph;
    private final AtomicInteger threads = new AtomicInteger();
    private final ThreadLocal<ThreadState> states =
            ThreadLocal.withInitial(() -> {
                threads.incrementAndGet();
                return new ThreadState();
            });

    /**
     * @param on whether to keep track at all
     */
    public Checks(Execution execution, Tracer tracer, boolean on) {
        this.on = on;
        violations = new Violations(execution, tracer);
        classes = new LockClasses(violations);
        graph = new WaitGraph(violations);
    }

    /** {@return whether anything is kept} */
    public boolean isOn() {
        return on;
    }

    /** {@return where broken rules are reported} */
    public Violations violations() {
        return violations;
    }

    /**
     * Watches the locks that an execution, and who shares with it, makes from now on; nothing while
     * it is off.
     *
     * @return to be closed, or null
     */
    public @Nullable LockObservation observe(Execution execution) {
        return on ? execution.observeLocks(new LockWatch(this)) : null;
    }

    /** {@return for how many threads something was ever kept} */
    public int threadsKnown() {
        return threads.get();
    }

    /** {@return how many classes of locks are known} */
    public int lockClassesKnown() {
        return classes.size();
    }

    /** {@return what the thread waits for, and what that waits for in turn; a line for each} */
    public List<String> why(Thread thread) {
        return new Chains(graph).of(thread);
    }

    // ---- locks

    /**
     * This thread is about to take a reservation, and to wait for it if need be. It has passed
     * {@link #mightLock}.
     *
     * @param owner the bundle whose code it is
     * @param transaction whether as one of several that may be taken in any order
     */
    public void taking(HeldLock reservation, String owner, boolean transaction) {
        if (!on) {
            return;
        }
        ThreadState state = states.get();
        if (state.held.contains(reservation)) {
            return; // for the lock to refuse
        }
        if (state.mmap > 0) {
            violations.report(
                    "DB-71",
                    Severity.WRONG,
                    owner,
                    reservation.buffer(),
                    0,
                    0,
                    "thread %s waits for %s with the mmap lock held at %s; expected a tryLock, and a retry without the mmap lock if it fails"
                            .formatted(
                                    Thread.currentThread().getName(),
                                    reservation.name(),
                                    Places.here()));
        }
        if (!transaction && state.reservations > 0) {
            violations.report(
                    "CK-25",
                    Severity.FATAL,
                    owner,
                    reservation.buffer(),
                    0,
                    0,
                    "thread %s takes %s without a transaction at %s, with another reservation held; two that do so in two orders wait for each other"
                            .formatted(
                                    Thread.currentThread().getName(),
                                    reservation.name(),
                                    Places.here()));
        }
        order(state, LockClasses.RESERVATION, reservation.name());
    }

    /** This thread has taken a reservation. */
    public void acquired(HeldLock reservation) {
        if (on) {
            ThreadState state = states.get();
            state.reservations++;
            took(state, reservation, LockClasses.RESERVATION);
        }
    }

    /** This thread gives a reservation back. */
    public void released(HeldLock reservation) {
        if (on) {
            ThreadState state = states.get();
            if (state.held.remove(reservation)) {
                state.reservations--;
            }
        }
    }

    void taking(NamedLock lock) {
        ThreadState state = states.get();
        if (!state.checking) {
            order(state, lock.name(), lock.toString());
        }
    }

    void took(NamedLock lock) {
        ThreadState state = states.get();
        if (!state.checking) {
            took(state, lock, lock.name());
        }
    }

    void gaveBack(NamedLock lock) {
        states.get().held.remove(lock);
    }

    /** This thread is about to take the lock of an address space. */
    void takingMmapLock() {
        ThreadState state = states.get();
        String thread = Thread.currentThread().getName();
        if (state.reservations > 0) {
            violations.report(
                    "DB-71",
                    Severity.FATAL,
                    Places.owner(Thread.currentThread()),
                    state.buffer(),
                    0,
                    0,
                    "thread %s takes the mmap lock with a reservation held at %s; a fault waits the other way round"
                            .formatted(thread, Places.here()));
        } else if (state.signalling > 0) {
            violations.report(
                    "CK-33",
                    Severity.FATAL,
                    Places.owner(Thread.currentThread()),
                    0,
                    0,
                    0,
                    "thread %s takes the mmap lock on the way to signal a fence at %s"
                            .formatted(thread, Places.here()));
        } else if (!state.checking) {
            order(state, LockClasses.MMAP, LockClasses.MMAP);
        }
    }

    /** The core is called with an mmap lock held, until {@link #leaveMmapLock}. */
    public void enterMmapLock() {
        if (on) {
            ThreadState state = states.get();
            state.mmap++;
            took(state, MMAP, LockClasses.MMAP);
        }
    }

    /** Ends what {@link #enterMmapLock} began. */
    public void leaveMmapLock() {
        if (on) {
            ThreadState state = states.get();
            state.mmap--;
            state.held.remove(MMAP);
        }
    }

    private void order(ThreadState state, String kind, String name) {
        if (state.held.size() == 0) {
            return;
        }
        LockClass found = classes.of(kind);
        if (found != null) {
            state.checking = true;
            try {
                classes.taking(state.held, found, name);
            } finally {
                state.checking = false;
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very lock
    private void took(ThreadState state, Object lock, String kind) {
        LockClass found = classes.of(kind);
        if (found != null) {
            state.held.add(lock, found);
        }
        if (state.signalling > 0
                && lock != MMAP
                && state.onTheWay.size() < ON_THE_WAY
                && !isOwn(kind)
                && !state.onTheWay.contains(lock)) {
            state.onTheWay.add(lock);
        }
    }

    /** {@return whether it is a leaf lock of the emulator's own} */
    static boolean isOwn(String kind) {
        return kind.startsWith("dmabuf.") || kind.startsWith("trace");
    }

    // ---- waits

    /**
     * This thread begins to wait, until {@link #endWait}.
     *
     * @param what a {@link HeldLock} or something {@link Awaited}
     */
    public void beginWait(Object what) {
        beginWait(what, null, false);
    }

    /**
     * This thread begins to wait, until {@link #endWait}.
     *
     * @param transaction by which it wants the lock, or null
     * @param mayGiveWay whether an older one ends the wait
     */
    public void beginWait(Object what, @Nullable Object transaction, boolean mayGiveWay) {
        if (!on) {
            return;
        }
        ThreadState state = states.get();
        if (state.checking) {
            return;
        }
        if (what instanceof Awaited work && !(work instanceof Unmaps)) {
            order(state, LockClasses.FENCE, work.describe());
        }
        Wait wait = new Wait(what, transaction, mayGiveWay, state.wait);
        state.wait = wait;
        state.checking = true;
        try {
            graph.begin(wait);
        } finally {
            state.checking = false;
        }
    }

    /** Ends what {@link #beginWait} began. */
    public void endWait() {
        if (on) {
            ThreadState state = states.get();
            Wait wait = state.wait;
            if (wait != null) {
                state.wait = wait.outer;
                graph.end(wait);
            }
        }
    }

    /** Ends a wait for a lock, if it came to one. */
    @SuppressWarnings("ReferenceEquality") // the very lock
    void endWaitFor(NamedLock lock) {
        Wait wait = states.get().wait;
        if (wait != null && wait.what == lock) {
            endWait();
        }
    }

    /** Time has passed: looks at all who wait. */
    public void lookAtWaits() {
        if (on) {
            graph.searchAll();
        }
    }

    /** This thread has waited for too long: likely reasons count too. */
    public void lookForLikely() {
        if (on) {
            graph.searchLikely(Thread.currentThread());
        }
    }

    // ---- callbacks of importers

    /** This thread is about to call an importer's callback. */
    public void beginCallback() {
        if (on) {
            states.get().callbacks.add(false);
        }
    }

    /** {@return whether slots could not be reserved inside of it, and no fence was added since} */
    public boolean endCallback() {
        return on && states.get().callbacks.removeLast();
    }

    /** Slots could not be reserved. */
    public void reserveFailed() {
        callback(true);
    }

    /** A fence was added to a reservation. */
    public void fenceAdded() {
        callback(false);
    }

    private void callback(boolean failed) {
        if (on) {
            List<Boolean> callbacks = states.get().callbacks;
            if (!callbacks.isEmpty()) {
                callbacks.set(callbacks.size() - 1, failed);
            }
        }
    }

    // ---- on the way to signal, and in callbacks of fences

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
            ThreadState state = states.get();
            if (state.signalling++ == 0) {
                state.onTheWay.clear();
                took(state, SIGNALLING, LockClasses.FENCE);
                state.onTheWay.clear();
            }
        }
        return on;
    }

    /** Ends what {@link #beginSignalling} began. */
    public void endSignalling(boolean cookie) {
        if (cookie) {
            ThreadState state = states.get();
            if (--state.signalling == 0) {
                state.held.remove(SIGNALLING);
                state.onTheWay.clear();
            }
        }
    }

    /** {@return what this thread has locked since it came onto the way to signal} */
    public List<Object> lockedOnTheWay() {
        return on ? states.get().onTheWay : List.of();
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
