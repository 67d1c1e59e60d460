package org.peerlane.exporter.gpu;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Timer;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The jobs of an {@link Engine}, in the order in which they came: those that wait, and those that
 * the card has. It has an eye on how long the card is at the first of them.
 *
 * <p><b>Locks.</b> {@code gpu.engine}, a leaf but for what is asked of fences. <b>Threads.</b> Any.
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

    /** Looks, after a while, whether the first job in the ring hangs. Guarded by lock. */
    private @Nullable Timer watch;

    /**
     * @param name the card
     * @param onHang called, on a timer's thread, when a job takes longer than it may
     */
    JobQueue(Execution execution, String name, long timeoutNanos, Runnable onHang) {
        this.execution = execution;
        this.name = name;
        this.timeoutNanos = timeoutNanos;
        this.onHang = onHang;
        lock = execution.lock("gpu.engine");
    }

    boolean isUp() {
        lock.lock();
        try {
            return up;
        } finally {
            lock.unlock();
        }
    }

    /** Whether the card takes jobs from now on. */
    void up(boolean now) {
        lock.lock();
        try {
            up = now;
        } finally {
            lock.unlock();
        }
    }

    /** No job is {@linkplain #next next} any more. */
    void close() {
        lock.lock();
        try {
            closed = true;
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

    /**
     * Adds a job.
     *
     * @param numbered gives its fence its place, in the same order
     * @throws ErrnoException {@code ECANCELED} the card is down; {@code ENODEV} it leaves
     */
    void add(Job job, Consumer<Job> numbered) {
        lock.lock();
        try {
            if (closed) {
                throw new ErrnoException(Errno.ENODEV, name + " leaves");
            }
            if (!up) {
                throw new ErrnoException(Errno.ECANCELED, name + " is being reset");
            }
            numbered.accept(job);
            queued.add(job);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the next job, whose turn has come, and which runs now; null: there is none} */
    @Nullable Job next() {
        lock.lock();
        try {
            Job job = queued.peek();
            if (closed || !up || job == null || job.givenUp != null || !job.waits.areSignaled()) {
                return null;
            }
            queued.remove();
            running.add(job);
            watchFirst();
            return job;
        } finally {
            lock.unlock();
        }
    }

    /** {@return a job that was given up while it waited, and whose turn has come; null: none} */
    @Nullable Job nextGivenUp() {
        lock.lock();
        try {
            Job job = queued.peek();
            if (job == null || job.givenUp == null || !job.waits.areSignaled()) {
                return null;
            }
            return queued.remove();
        } finally {
            lock.unlock();
        }
    }

    boolean isRunning(Job job) {
        lock.lock();
        try {
            return up && running.contains(job);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the one that the card is at; null: none} */
    @Nullable Job first() {
        lock.lock();
        try {
            return running.peek();
        } finally {
            lock.unlock();
        }
    }

    /** {@return a job that the card has done, and that is here no more; null: none} */
    @Nullable Job ended(long reached) {
        lock.lock();
        try {
            Job job = running.peek();
            if (job == null || job.end < 0 || job.fence.seqno() > reached) {
                return null;
            }
            running.remove();
            return job;
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether a job was running, and is here no more} */
    boolean remove(Job job) {
        lock.lock();
        try {
            return running.remove(job);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives up what there is.
     *
     * @param all whether what waits for others does so no longer
     * @param lost gets whose content was on the way to another place
     * @param ending gets what ends now, and is here no more
     */
    void giveUp(Errno with, boolean all, Set<OwnBuffer> lost, List<Job> ending) {
        lock.lock();
        try {
            ending.addAll(running);
            running.clear();
            queued.forEach(job -> giveUp(job, with, lost));
            if (all) {
                ending.addAll(queued);
                queued.clear();
            }
            watchNone();
        } finally {
            lock.unlock();
        }
    }

    /** Gives one job up, unless it has been already. */
    static void giveUp(Job job, Errno with, Set<OwnBuffer> lost) {
        if (job.givenUp == null) {
            job.givenUp = with;
            if (job.moved != null) {
                lost.add(job.moved);
            }
        }
    }

    /** [held] If the first job in the ring is the same one then, it hangs. */
    private void watchFirst() {
        Job first = running.peek();
        if (watch == null && first != null) {
            watch = execution.schedule(name + ".hang", timeoutNanos, () -> isLate(first));
        }
    }

    /** [held] */
    private void watchNone() {
        Timer old = watch;
        if (old != null) {
            old.cancel();
            watch = null;
        }
    }

    private void isLate(Job job) {
        if (isUp() && job == first()) {
            onHang.run();
            return;
        }
        lock.lock();
        try {
            watch = null;
            watchFirst();
        } finally {
            lock.unlock();
        }
    }
}
