package org.peerlane.exporter.gpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Timer;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The jobs that wait for their turn, and those that are in the ring; and whether there may be any.
 *
 * <p><b>Locks.</b> {@code gpu.engine} guards all of it. <b>Threads.</b> Any.
 */
final class JobQueue {
    private final Execution execution;
    private final String name;
    private final long timeoutNanos;
    private final Runnable onHang;
    private final NamedLock lock;

    /** Not in the ring yet. Guarded by lock. */
    private final Deque<Job> queued = new ArrayDeque<>();

    /** In the ring. Guarded by lock. */
    private final Deque<Job> running = new ArrayDeque<>();

    /** Guarded by lock. */
    private boolean up;

    /** Guarded by lock. */
    private boolean closed;

    /** Guarded by lock. */
    private long lastSeqno;

    /** Looks, after a while, whether the first job in the ring hangs. Guarded by lock. */
    private @Nullable Timer watch;

    /**
     * @param onHang called, on a timer's thread, when a job takes longer than it may
     */
    JobQueue(Execution execution, String name, long timeoutNanos, Runnable onHang) {
        this.execution = execution;
        this.name = name;
        this.timeoutNanos = timeoutNanos;
        this.onHang = onHang;
        lock = execution.lock("gpu.engine");
    }

    /** Puts a job's fence on the timeline, inside of the lock. */
    @FunctionalInterface
    interface Numbering {
        /** The job's number. */
        void number(long seqno);
    }

    /**
     * Adds a job.
     *
     * @throws ErrnoException {@code ECANCELED} the card is being reset, or does not come back;
     *     {@code ENODEV} it leaves
     */
    void add(Job job, Numbering numbering) {
        lock.lock();
        try {
            if (closed) {
                throw new ErrnoException(Errno.ENODEV, name + " leaves");
            }
            if (!up) {
                throw new ErrnoException(Errno.ECANCELED, name + " is being reset");
            }
            numbering.number(++lastSeqno);
            queued.add(job);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the next job, if what it waits for has ended: it is in the ring from now on} */
    @Nullable Job takeReady() {
        lock.lock();
        try {
            Job job = queued.peek();
            if (!up || job == null || job.cancelled != null || !job.waits.areSignaled()) {
                return null;
            }
            queued.remove();
            running.add(job);
            if (watch == null) {
                watch(job);
            }
            return job;
        } finally {
            lock.unlock();
        }
    }

    /** {@return a job that is given up, and is first, and after what it waits for; or null} */
    @Nullable Job takeCancelled() {
        lock.lock();
        try {
            Job job = queued.peek();
            if (job == null || job.cancelled == null || !job.waits.areSignaled()) {
                return null;
            }
            return queued.remove();
        } finally {
            lock.unlock();
        }
    }

    /** {@return the first job in the ring} */
    @Nullable Job first() {
        lock.lock();
        try {
            return running.peek();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether a job is still in the ring} */
    boolean isRunning(Job job) {
        lock.lock();
        try {
            return up && running.contains(job);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the first job in the ring, which is out of it now; null: it has not ended} */
    @Nullable Job takeEnded(long reached) {
        lock.lock();
        try {
            Job job = running.peek();
            if (job == null || !job.hasEnded(reached)) {
                return null;
            }
            return running.remove();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether a job was in the ring; it is not any more} */
    boolean take(Job job) {
        lock.lock();
        try {
            return running.remove(job);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the jobs in the ring, in order; there are none any more} */
    List<Job> takeRunning() {
        lock.lock();
        try {
            List<Job> all = new ArrayList<>(running);
            running.clear();
            Timer timer = watch;
            watch = null;
            if (timer != null) {
                timer.cancel();
            }
            return all;
        } finally {
            lock.unlock();
        }
    }

    boolean isUp() {
        lock.lock();
        try {
            return up;
        } finally {
            lock.unlock();
        }
    }

    /** {@return the jobs that wait for their turn, in order; there are none any more} */
    List<Job> takeQueued() {
        lock.lock();
        try {
            List<Job> all = new ArrayList<>(queued);
            queued.clear();
            return all;
        } finally {
            lock.unlock();
        }
    }

    /** There may be jobs. */
    void up() {
        lock.lock();
        try {
            up = true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * There may be no jobs; those that wait for their turn are given up.
     *
     * @param with why
     */
    void down(Errno with) {
        lock.lock();
        try {
            up = false;
            for (Job job : queued) {
                if (job.cancelled == null) {
                    job.cancelled = with;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** There are no more jobs, ever. */
    void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
    }

    /** [lock] If the first job in the ring is the same one then, it hangs. */
    private void watch(Job first) {
        watch = execution.schedule(name + ".hang", timeoutNanos, () -> lookAfter(first));
    }

    /** The first job of a while ago has ended, or hangs. */
    private void lookAfter(Job before) {
        lock.lock();
        try {
            Job now = running.peek();
            watch = null;
            if (now == null || !up) {
                return;
            }
            if (!now.equals(before)) {
                watch(now);
                return;
            }
        } finally {
            lock.unlock();
        }
        onHang.run();
    }
}
