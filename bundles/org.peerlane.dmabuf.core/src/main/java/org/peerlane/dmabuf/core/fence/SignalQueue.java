package org.peerlane.dmabuf.core.fence;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.Violation.Severity;

/**
 * The half of a fence that decides: whether it has ended, and which callbacks wait for that.
 *
 * <p><b>Protocol.</b> One word, {@code head}, changed by compare and set:
 *
 * <ul>
 *   <li>null or a callback: not ended; the callbacks that wait, latest first, linked by their own
 *       {@code next};
 *   <li>{@link #UNLINKING}: not ended; one thread has the list in its hands, for a few
 *       instructions, to take a callback out of its middle. Others look again;
 *   <li>a {@link Thread}: ended; that thread runs the callbacks. An {@link Awaited} instead of it:
 *       somebody waits until they have run;
 *   <li>{@link #DONE}: ended, and the callbacks have run.
 * </ul>
 *
 * Whoever takes a list out of {@code head} is the only one to touch its links. So a callback is in
 * exactly one hand: the list's, the remover's, or the signaller's; what the remover took never
 * runs, and a remover that comes too late waits for {@link #DONE} (FE-4, FE-6, FE-7).
 *
 * <p><b>Locks.</b> None, but for the wait of a late remover. No checkpoint is passed while {@code
 * head} is {@link #UNLINKING}, so a simulation never sees it.
 */
abstract class SignalQueue implements Fence {
    private static final VarHandle HEAD;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(SignalQueue.class, "head", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Stands for no callback. */
    private static final class Mark extends FenceCallback {
        @Override
        public void signaled(Fence fence) {
            throw new AssertionError("a mark is not a callback");
        }
    }

    /** Somebody waits until {@code runner} has run the callbacks. */
    private record Awaited(Thread runner) {}

    private static final Mark UNLINKING = new Mark();

    /** What {@link #claim} answers to all but one. */
    private static final Mark LOST = new Mark();

    private static final Object DONE = new Object();

    /** How often a thread looks again before it gives way. */
    private static final int SPINS = 64;

    private volatile @Nullable Object head;

    /** {@return what it shares with the others} */
    abstract FenceEnvironment environment();

    private static boolean isOpen(@Nullable Object seen) {
        return seen == null || seen instanceof FenceCallback;
    }

    /** {@return whether it has ended} */
    final boolean isEnded() {
        return !isOpen(head);
    }

    /** {@return whether a callback waits} */
    final boolean isAwaited() {
        return head instanceof FenceCallback;
    }

    /** {@return whether the callback waits now; false if it has ended} */
    final boolean link(FenceCallback callback) {
        callback.queue(this);
        for (int spins = 0; ; spins++) {
            Object seen = head;
            if (!isOpen(seen)) {
                callback.next(null);
                callback.queue(null);
                return false;
            }
            if (seen == UNLINKING) {
                lookAgain(spins);
                continue;
            }
            callback.next((FenceCallback) seen);
            environment().beforeLink.reached();
            if (HEAD.compareAndSet(this, seen, callback)) {
                return true;
            }
        }
    }

    /** {@return whether the callback was waiting; false: it does not run any more} */
    @SuppressWarnings("ReferenceEquality") // the very callback
    final boolean unlink(FenceCallback callback) {
        for (int spins = 0; ; spins++) {
            Object seen = head;
            if (seen == null) {
                return false;
            }
            if (!isOpen(seen)) {
                awaitCallbacks();
                return false;
            }
            if (seen == UNLINKING) {
                lookAgain(spins);
                continue;
            }
            environment().beforeUnlink.reached();
            if (HEAD.compareAndSet(this, seen, UNLINKING)) {
                FenceCallback first = (FenceCallback) seen;
                boolean found = first == callback || cut(first, callback);
                HEAD.setRelease(this, first == callback ? first.next() : first);
                if (found) {
                    callback.next(null);
                    callback.queue(null);
                }
                return found;
            }
        }
    }

    /** Takes all of a kind out; they do not run any more. {@return how many there were} */
    final int unlinkAll(Predicate<FenceCallback> which) {
        List<FenceCallback> found = new ArrayList<>();
        for (int spins = 0; found.isEmpty(); spins++) {
            Object seen = head;
            if (seen == null || !isOpen(seen)) {
                return 0;
            }
            if (seen == UNLINKING) {
                lookAgain(spins);
                continue;
            }
            environment().beforeUnlink.reached();
            if (HEAD.compareAndSet(this, seen, UNLINKING)) {
                for (FenceCallback at = (FenceCallback) seen; at != null; at = at.next()) {
                    if (which.test(at)) {
                        found.add(at);
                    }
                }
                HEAD.setRelease(this, without((FenceCallback) seen, found));
                break;
            }
        }
        for (FenceCallback callback : found) {
            callback.next(null);
            callback.queue(null);
        }
        return found.size();
    }

    /** {@return the first of what is left, in the same order} */
    private static @Nullable FenceCallback without(FenceCallback first, List<FenceCallback> gone) {
        FenceCallback kept = null;
        FenceCallback last = null;
        for (FenceCallback at = first; at != null; ) {
            FenceCallback after = at.next();
            if (!gone.contains(at)) {
                if (last == null) {
                    kept = at;
                } else {
                    last.next(at);
                }
                last = at;
            }
            at = after;
        }
        if (last != null) {
            last.next(null);
        }
        return kept;
    }

    /** Takes a callback out of a list whose first it is not. {@return whether it was there} */
    @SuppressWarnings("ReferenceEquality") // the very callback
    private static boolean cut(FenceCallback first, FenceCallback callback) {
        FenceCallback before = first;
        for (FenceCallback at = first.next(); at != null; at = at.next()) {
            if (at == callback) {
                before.next(at.next());
                return true;
            }
            before = at;
        }
        return false;
    }

    /**
     * Ends it. {@return to the one caller who did, the callbacks for {@link #run}, latest first, or
     * null; to the others what {@link #isLost} knows}
     */
    final @Nullable FenceCallback claim() {
        for (int spins = 0; ; spins++) {
            Object seen = head;
            if (!isOpen(seen)) {
                return LOST;
            }
            if (seen == UNLINKING) {
                lookAgain(spins);
                continue;
            }
            environment().beforeClaim.reached();
            Object ended = seen == null ? DONE : Thread.currentThread();
            if (HEAD.compareAndSet(this, seen, ended)) {
                return (FenceCallback) seen;
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very mark
    static boolean isLost(@Nullable FenceCallback claimed) {
        return claimed == LOST;
    }

    /** Runs what {@link #claim} has answered, in the order in which it came. */
    final void run(FenceCallback latest) {
        FenceCallback next = null;
        for (FenceCallback at = latest; at != null; ) {
            FenceCallback before = at.next();
            at.next(next);
            next = at;
            at = before;
        }
        FenceEnvironment environment = environment();
        environment.checks.enterAtomic();
        for (FenceCallback at = next; at != null; at = next) {
            next = at.next();
            at.next(null);
            at.queue(null); // it may wait for another fence, or die, from here on
            environment.beforeCallback.reached();
            try {
                at.signaled(this);
            } catch (RuntimeException | Error e) {
                threw(at, e);
            }
        }
        environment.checks.leaveAtomic();
        environment.beforeDone.reached();
        if (!HEAD.compareAndSet(this, Thread.currentThread(), DONE)) {
            environment.running.lock();
            try {
                head = DONE;
                environment.ran.signalAll();
            } finally {
                environment.running.unlock();
            }
        }
    }

    private void threw(FenceCallback callback, Throwable thrown) {
        environment()
                .checks
                .violations()
                .report(
                        "FE-4",
                        Severity.FATAL,
                        callback.getClass().getName(),
                        0,
                        0,
                        0,
                        "the callback of %s threw %s; it must not, and those after it ran"
                                .formatted(this, thrown));
    }

    /** Waits until the callbacks have run. */
    private void awaitCallbacks() {
        Object seen = head;
        if (seen == DONE) {
            return;
        }
        Thread runner = seen instanceof Awaited awaited ? awaited.runner : (Thread) seen;
        FenceEnvironment environment = environment();
        if (runner == Thread.currentThread()) {
            environment
                    .checks
                    .violations()
                    .report(
                            "FE-7",
                            Severity.FATAL,
                            "",
                            0,
                            0,
                            0,
                            "a callback of %s removes one of its callbacks: it would wait for itself"
                                    .formatted(this));
            return;
        }
        environment.running.lock();
        try {
            if (runner != null) {
                HEAD.compareAndSet(this, runner, new Awaited(runner));
            }
            while (head != DONE) {
                environment.ran.awaitUninterruptibly();
            }
        } finally {
            environment.running.unlock();
        }
    }

    /** Another thread is within a few instructions of going on. */
    @SuppressWarnings("ThreadPriorityCheck") // it may have lost its processor: give it ours
    static void lookAgain(int spins) {
        if (spins < SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }
}
