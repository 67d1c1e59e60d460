package org.peerlane.dmabuf.core.fence;

import java.util.List;
import java.util.concurrent.locks.Condition;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Awaited;
import org.peerlane.dmabuf.core.check.Need;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * A thread that waits for one fence or the first of several.
 *
 * <p><b>Life.</b> One wait. <b>Locks.</b> A leaf lock of its own, which the callbacks take too.
 * <b>Source.</b> FE-10.
 */
final class FenceWait {
    /** The callback on one of the fences. */
    private final class Link extends FenceCallback {
        @Override
        public void signaled(Fence fence) {
            wake();
        }
    }

    private final Execution execution;
    private final NamedLock lock;
    private final Condition signaled;

    /** Guarded by lock. */
    private boolean woken;

    private FenceWait(FenceEnvironment environment, Object what) {
        execution = environment.execution;
        lock = execution.lock("dmabuf.fence.wait");
        signaled =
                lock.newCondition(execution.isSimulated() ? "signaled(" + what + ")" : "signaled");
    }

    private void wake() {
        lock.lock();
        try {
            woken = true;
            signaled.signal();
        } finally {
            lock.unlock();
        }
    }

    /** {@code Fence.waitTimeout}. */
    static long one(CoreFence fence, boolean interruptible, long timeoutNanos) {
        if (timeoutNanos < 0) {
            throw CoreFence.negative(timeoutNanos);
        }
        FenceEnvironment environment = fence.environment();
        if (environment.checks.isOn()) {
            environment.checks.mightSleep(fence.ownerName(), "a wait for " + fence);
        }
        if (fence.isSignaled()) {
            return Math.max(1, timeoutNanos);
        }
        checkOwnPath(fence);
        if (environment.waitStart.isOn()) {
            environment.waitStart.emit(
                    new FenceEvents.FenceWaitStart(
                            fence.context(), fence.seqno(), Thread.currentThread().getName()));
        }
        long left = 0;
        boolean waits = timeoutNanos > 0;
        if (waits) {
            environment.checks.beginWait(fence);
        }
        try {
            left = waitFor(fence, interruptible, timeoutNanos);
        } finally {
            if (waits) {
                environment.checks.endWait();
            }
            if (environment.waitEnd.isOn()) {
                environment.waitEnd.emit(
                        new FenceEvents.FenceWaitEnd(
                                fence.context(),
                                fence.seqno(),
                                Thread.currentThread().getName(),
                                left));
            }
        }
        return left;
    }

    private static long waitFor(CoreFence fence, boolean interruptible, long timeoutNanos) {
        if (!fence.enable()) {
            return Math.max(1, timeoutNanos);
        }
        FenceOperations.Waiting own = fence.enterWaiting();
        if (own != null) {
            try {
                return own.waitTimeout(fence, interruptible, timeoutNanos);
            } finally {
                fence.owner.gate.leave();
            }
        }
        if (interruptible && Thread.currentThread().isInterrupted()) {
            throw interrupted(fence);
        }
        if (timeoutNanos == 0) {
            return 0;
        }
        FenceWait wait = new FenceWait(fence.environment(), fence);
        Link link = wait.new Link();
        if (!fence.addCallback(link)) {
            return timeoutNanos;
        }
        try {
            return wait.await(fence, interruptible, timeoutNanos);
        } finally {
            fence.removeCallback(link);
        }
    }

    /** {@code Fences.waitAny}. {@return an index, or -1: none in time} */
    static int any(
            FenceEnvironment environment,
            String owner,
            List<Fence> fences,
            boolean interruptible,
            long timeoutNanos) {
        if (fences.isEmpty()) {
            throw new ErrnoException(Errno.EINVAL, "a wait for the first of no fences");
        }
        if (timeoutNanos < 0) {
            throw CoreFence.negative(timeoutNanos);
        }
        if (environment.checks.isOn()) {
            environment.checks.mightSleep(owner, "a wait for the first of " + fences);
        }
        int signaled = firstSignaled(fences);
        if (signaled >= 0 || timeoutNanos == 0) {
            return signaled;
        }
        FenceWait wait = new FenceWait(environment, fences);
        Link[] links = new Link[fences.size()];
        int added = 0;
        if (environment.checks.isOn()) {
            environment.checks.beginWait(new FirstOf(owner, fences));
        }
        try {
            while (added < links.length) {
                links[added] = wait.new Link();
                if (!fences.get(added).addCallback(links[added])) {
                    return added;
                }
                added++;
            }
            return wait.await(fences, interruptible, timeoutNanos) == 0
                    ? -1
                    : firstSignaled(fences);
        } finally {
            environment.checks.endWait();
            for (int i = 0; i < added; i++) {
                fences.get(i).removeCallback(links[i]);
            }
        }
    }

    /** What a wait for the first of several waits for. */
    private record FirstOf(String owner, List<Fence> fences) implements Awaited {
        @Override
        public String describe() {
            return "the first of " + fences;
        }

        @Override
        public boolean isOver() {
            return fences.stream().anyMatch(fence -> ((CoreFence) fence).isOver());
        }

        @Override
        public List<Need> needs() {
            return List.of(
                    new Need.Either(
                            fences.stream().<Awaited>map(fence -> (CoreFence) fence).toList()));
        }
    }

    private static int firstSignaled(List<Fence> fences) {
        for (int i = 0; i < fences.size(); i++) {
            if (fences.get(i).isSignaled()) {
                return i;
            }
        }
        return -1;
    }

    /** {@return what is left of the limit, at least 1, or 0} */
    private long await(Object what, boolean interruptible, long timeoutNanos) {
        long begin = execution.nanoTime();
        boolean limited = timeoutNanos <= Reservation.NO_LIMIT - Math.max(0, begin);
        long left = timeoutNanos;
        boolean interrupted = false;
        lock.lock();
        try {
            while (!woken && left > 0) {
                try {
                    if (limited) {
                        signaled.awaitNanos(left);
                    } else if (interruptible) {
                        signaled.await();
                    } else {
                        signaled.awaitUninterruptibly();
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                    if (interruptible && !woken) {
                        throw interrupted(what);
                    }
                }
                if (limited) {
                    left = begin + timeoutNanos - execution.nanoTime();
                }
            }
            return woken ? Math.max(1, left) : 0;
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt(); // still pending, as a signal is
            }
        }
    }

    private static ErrnoException interrupted(Object what) {
        return new ErrnoException(Errno.ERESTARTSYS, "interrupted while waiting for " + what);
    }

    /** A thread that signals a timeline waits for it (FE-49). */
    private static void checkOwnPath(CoreFence fence) {
        FenceWatch watch = fence.watch();
        if (watch != null && fence.environment().checks.isSignalling()) {
            Timeline timeline = watch.timeline;
            if (timeline != null && timeline.isSignaller()) {
                fence.report(
                        "FE-49",
                        Severity.FATAL,
                        "is waited for on the way to signal its own timeline: nobody is left to"
                                + " signal it");
            }
        }
    }
}
