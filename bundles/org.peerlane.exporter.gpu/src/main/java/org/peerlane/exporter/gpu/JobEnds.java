package org.peerlane.exporter.gpu;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;

/**
 * The ends of jobs: their fences signal, in the order of the timeline whoever ends them.
 *
 * <p><b>Locks.</b> {@code gpu.signal} is held from the look at the queue until the fences that it
 * concerns have signaled. <b>Threads.</b> Any.
 */
final class JobEnds {
    private final JobQueue queue;
    private final CommandRing ring;
    private final Fences fences;
    private final NamedLock lock;

    JobEnds(Execution execution, JobQueue queue, CommandRing ring, Fences fences) {
        this.queue = queue;
        this.ring = ring;
        this.fences = fences;
        lock = execution.lock("gpu.signal");
    }

    /** Ends what the card has ended. */
    void retire() {
        lock.lock();
        try {
            long reached = ring.reached();
            for (Job job = queue.takeEnded(reached); job != null; job = queue.takeEnded(reached)) {
                end(job, null);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends one that the card does not end. */
    void fail(Job job, Errno with) {
        lock.lock();
        try {
            if (queue.take(job)) {
                end(job, with);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends what is in the ring of a card that has stopped; what the card has ended ends well. */
    void giveUp(Errno with) {
        lock.lock();
        try {
            long reached = ring.reached();
            for (Job job : queue.takeRunning()) {
                end(job, job.hasEnded(reached) ? null : with);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends those that are given up and need not wait any more. */
    void endCancelled() {
        lock.lock();
        try {
            for (Job job = queue.takeCancelled(); job != null; job = queue.takeCancelled()) {
                end(job, job.cancelled);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends all that wait for their turn, whatever they wait for. */
    void abandon(Errno with) {
        lock.lock();
        try {
            for (Job job : queue.takeQueued()) {
                end(job, with);
            }
        } finally {
            lock.unlock();
        }
    }

    private void end(Job job, @Nullable Errno with) {
        job.waits.drop();
        boolean cookie = fences.beginSignalling();
        try {
            if (with != null && job.fence.status() == 0) { // a departure may have ended it
                job.fence.setError(with);
            }
            job.fence.signal();
        } finally {
            fences.endSignalling(cookie);
        }
        job.fence.put();
    }
}
