package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Runs jobs on the card, one after the other in the order in which they came, each after what it
 * waits for. Kernel counterpart: {@code drm_sched} with one entity.
 *
 * <p><b>Fences.</b> All are on one timeline. A job's fence signals when the card has written its
 * number; with {@code EIO} if the card stopped at it; with {@code ECANCELED} if it was given up.
 * Never before the card has stopped using what the job uses, nor before what the job waits for has
 * ended: who waits for a move relies on that nobody uses the old place any more.
 *
 * <p><b>Life.</b> {@link #start}; {@link #park} and {@link #start} around a reset; {@link #close}.
 *
 * <p><b>Locks.</b> {@code gpu.signal} is held while fences signal, so that they do so in order.
 * <b>Threads.</b> Any submits; one of its own, {@code gpu0.engine}, writes the ring.
 */
final class Engine implements FenceOperations {
    private final Surroundings surroundings;
    private final Execution execution;
    private final String name;
    private final CommandRing ring;
    private final RingWriter writer;
    private final Fences fences;
    private final long context;
    private final Runnable onHang;
    private final Doorbell bell;
    private final NamedLock signal;
    private final JobQueue jobs;

    /** Of the last job. Changes under the queue's lock. */
    private long lastSeqno;

    private @Nullable EmulatedThread thread;

    /**
     * @param scratch a page of the card that nobody uses
     * @param onHang called, on a timer's thread, when a job takes longer than it may
     */
    @SuppressWarnings("this-escape") // used by its own thread, which starts later
    Engine(
            Surroundings surroundings,
            String name,
            Hardware hardware,
            CommandRing ring,
            Run scratch,
            Runnable onHang) {
        this.surroundings = surroundings;
        execution = surroundings.execution;
        this.name = name;
        this.ring = ring;
        this.onHang = onHang;
        fences = surroundings.dmabufs.fences();
        context = fences.allocateContexts(1);
        bell = new Doorbell(execution, "gpu.bell");
        signal = execution.lock("gpu.signal");
        jobs = new JobQueue(execution, name, surroundings.timeoutNanos, onHang);
        writer = new RingWriter(surroundings, this, hardware, ring, bell, scratch);
    }

    /** Takes jobs from now on; the card has been reset, or is new. */
    void start() {
        writer.start();
        if (thread == null) {
            thread = execution.start(ThreadKind.BLOCKING, name + ".engine", this::loop);
        }
    }

    JobQueue jobs() {
        return jobs;
    }

    /**
     * Queues a job.
     *
     * @param waits what it has to come after; a reference of each goes here, whatever happens
     * @param moved what it brings to another place; null: it moves nothing
     * @return its fence, with one reference, the caller's
     * @throws ErrnoException {@code ECANCELED} the card is being reset, or does not come back;
     *     {@code ENODEV} it leaves
     */
    Fence submit(
            List<Job.Step> steps, boolean flush, List<Fence> waits, @Nullable OwnBuffer moved) {
        Dependencies dependencies = new Dependencies(waits, bell);
        boolean taken = false;
        Fence fence = null;
        try {
            fence = fences.allocate(this);
            jobs.add(new Job(steps, flush, dependencies, fence, moved), this::number);
            taken = true;
        } finally {
            if (!taken) {
                dependencies.drop();
                if (fence != null) {
                    fence.put();
                }
            }
        }
        bell.ring();
        return fence;
    }

    private void number(Job job) {
        fences.init64(job.fence, context, ++lastSeqno);
        job.fence.get();
    }

    // ---- its thread

    private void loop() {
        try {
            while (true) {
                Job job = next();
                if (job == null) {
                    return;
                }
                surroundings.beforeWritten.reached();
                writer.write(job);
            }
        } catch (InterruptedException e) {
            // it leaves
        }
    }

    /** {@return the next job, which is running then; null: no more will come} */
    private @Nullable Job next() throws InterruptedException {
        while (true) {
            if (endGivenUp()) {
                continue;
            }
            Job job = jobs.next();
            if (job != null || jobs.isClosed()) {
                return job;
            }
            bell.await();
            writer.recover(null);
        }
    }

    /** Who was given up while he waited ends in his turn. {@return whether there was one} */
    private boolean endGivenUp() {
        signal.lock();
        try {
            Job job = jobs.nextGivenUp();
            if (job != null) {
                end(job, job.givenUp);
            }
            return job != null;
        } finally {
            signal.unlock();
        }
    }

    // ---- the end of jobs

    /** The card says that something has ended. */
    void onFence() {
        retire();
        bell.ring();
    }

    /** The card says that it has stopped, or that there is room. */
    void onNews() {
        bell.ring();
    }

    /** Ends what the card has done. */
    void retire() {
        signal.lock();
        try {
            long reached = ring.reached();
            for (Job job = jobs.ended(reached); job != null; job = jobs.ended(reached)) {
                end(job, null);
            }
        } finally {
            signal.unlock();
        }
    }

    /** One that runs has failed. */
    void fail(Job job, Errno with) {
        signal.lock();
        try {
            if (jobs.remove(job)) {
                if (job.moved != null) {
                    job.moved.lost();
                }
                end(job, with);
            }
        } finally {
            signal.unlock();
        }
    }

    /** The card does not go on by itself. */
    void hangs() {
        onHang.run();
    }

    /** [signal] */
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

    /**
     * Takes no more jobs, stops the card, and gives up what there is: what waits for others ends
     * when they have.
     *
     * @param with the error of what is given up
     * @return whose content was on the way to another place
     */
    Set<OwnBuffer> park(Errno with) {
        writer.stop();
        Set<OwnBuffer> lost = new LinkedHashSet<>();
        giveUp(with, false, lost);
        bell.ring();
        return lost;
    }

    private void giveUp(Errno with, boolean all, Set<OwnBuffer> lost) {
        signal.lock();
        try {
            List<Job> ending = new ArrayList<>();
            long reached = ring.reached();
            jobs.giveUp(with, all, lost, ending);
            for (Job job : ending) {
                if (job.end >= 0 && job.fence.seqno() <= reached) {
                    end(job, null);
                } else {
                    JobQueue.giveUp(job, with, lost);
                    end(job, job.givenUp);
                }
            }
        } finally {
            signal.unlock();
        }
    }

    /** Ends; gives up what there is, whatever that waits for. */
    void close() {
        writer.stop();
        jobs.close();
        giveUp(Errno.ENODEV, true, new LinkedHashSet<>());
        bell.ring();
        EmulatedThread ending = thread;
        if (ending != null) {
            ending.joinUninterruptibly();
        }
    }

    @Override
    public String driverName() {
        return name;
    }

    @Override
    public String timelineName(Fence fence) {
        return "engine";
    }
}
