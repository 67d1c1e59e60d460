package org.peerlane.exporter.gpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Runs jobs on the card, one after the other in the order in which they came, each after what it
 * waits for. Kernel counterpart: {@code drm_sched} with one entity.
 *
 * <p><b>Fences.</b> All are on one timeline. A job's fence signals when the card has written its
 * number; with {@code EIO} if the card stopped at it; with {@code ECANCELED} if it was given up.
 * Never before the card has stopped using what the job uses.
 *
 * <p><b>Life.</b> {@link #start}; {@link #park} and {@link #start} around a reset; {@link #close}.
 *
 * <p><b>Locks.</b> {@code gpu.signal} is held while fences signal, so that they do so in order;
 * {@code gpu.engine} guards the queues. <b>Threads.</b> Any submits; one of its own, {@code
 * gpu0.engine}, writes the ring.
 */
final class Engine implements FenceOperations {
    private static final Logger LOG = LogManager.getLogger(Engine.class);

    /** Of a packet and a fence, with a word for the packet that tells of room. */
    private static final long ROOM = 64;

    /** The engine tells of room that often. */
    private static final int STEPS_PER_TRAP = 256;

    private final Surroundings surroundings;
    private final Execution execution;
    private final String name;
    private final Hardware hardware;
    private final CommandRing ring;
    private final Fences fences;
    private final long context;
    private final Runnable onHang;
    private final Doorbell bell;
    private final NamedLock signal;
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

    /** What the card answers to reads that push its writes goes there: a page of its own. */
    private final Run scratch;

    private @Nullable EmulatedThread thread;

    /**
     * @param scratch a page of the card that nobody uses
     * @param onHang called, on a timer's thread, when a job takes longer than it may
     */
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
        this.hardware = hardware;
        this.ring = ring;
        this.scratch = scratch;
        this.onHang = onHang;
        fences = surroundings.dmabufs.fences();
        context = fences.allocateContexts(1);
        bell = new Doorbell(execution, "gpu.bell");
        signal = execution.lock("gpu.signal");
        lock = execution.lock("gpu.engine");
    }

    /** Its bell, for who waits for fences without a thread. */
    Doorbell bell() {
        return bell;
    }

    /** Takes jobs from now on; the card has been reset, or is new. */
    void start() {
        ring.rewind();
        hardware.run(ring.address(), CommandRing.BYTES_LG2);
        lock.lock();
        try {
            up = true;
        } finally {
            lock.unlock();
        }
        if (thread == null) {
            thread = execution.start(ThreadKind.BLOCKING, name + ".engine", this::loop);
        }
    }

    /**
     * Queues a job.
     *
     * @param waits what it has to come after; a reference of each goes here, whatever happens
     * @return its fence, with one reference, the caller's
     * @throws ErrnoException {@code ECANCELED} the card is being reset, or does not come back;
     *     {@code ENODEV} it leaves
     */
    Fence submit(List<Job.Step> steps, boolean flush, List<Fence> waits) {
        Fence fence = fences.allocate(this);
        Job job = new Job(steps, flush, new Dependencies(waits, bell), fence);
        boolean taken = false;
        lock.lock();
        try {
            if (closed) {
                throw new ErrnoException(Errno.ENODEV, name + " leaves");
            }
            if (!up) {
                throw new ErrnoException(Errno.ECANCELED, name + " is being reset");
            }
            fences.init64(fence, context, ++lastSeqno);
            queued.add(job);
            fence.get();
            taken = true;
        } finally {
            lock.unlock();
            if (!taken) {
                job.waits.drop();
                fence.put();
            }
        }
        bell.ring();
        return fence;
    }

    // ---- its thread

    private void loop() {
        try {
            while (true) {
                Job job = next();
                if (job == null) {
                    return;
                }
                write(job);
            }
        } catch (InterruptedException e) {
            // it leaves
        }
    }

    /** {@return the next job, which is running then; null: no more will come} */
    private @Nullable Job next() throws InterruptedException {
        while (true) {
            lock.lock();
            try {
                if (closed) {
                    return null;
                }
                Job job = queued.peek();
                if (up && job != null && job.waits.areSignaled()) {
                    queued.remove();
                    running.add(job);
                    if (watch == null) {
                        watch(job);
                    }
                    return job;
                }
            } finally {
                lock.unlock();
            }
            bell.await();
            recover(null);
        }
    }

    private void write(Job job) throws InterruptedException {
        surroundings.beforeWritten.reached();
        int count = 0;
        for (Job.Step step : job.steps) {
            if (!await(job)) {
                return;
            }
            put(step);
            if (++count % STEPS_PER_TRAP == 0) {
                ring.put(GpuRegisters.trap());
                hardware.ring(ring.tail());
            }
        }
        if (!await(job)) {
            return;
        }
        if (job.flush && !job.steps.isEmpty()) {
            readBack(job.steps.getLast().target());
            if (!await(job)) {
                return;
            }
        }
        ring.putFence(job.fence.seqno());
        job.end = ring.tail();
        hardware.ring(ring.tail());
    }

    private void put(Job.Step step) {
        Run source = step.source();
        Run target = step.target();
        if (source == null) {
            ring.put(GpuRegisters.fill(target.space(), step.pattern()));
        } else {
            ring.put(GpuRegisters.copy(source.space(), target.space()));
            ring.put(source.address());
        }
        ring.put(target.address());
        ring.put(target.bytes());
    }

    /** A read pushes the writes that went the same way before: the fence comes after them. */
    private void readBack(Run target) {
        ring.put(GpuRegisters.copy(target.space(), scratch.space()));
        ring.put(target.address() + target.bytes() - 4);
        ring.put(scratch.address());
        ring.put(4);
    }

    /** {@return whether there is room; false: the job has been given up} */
    private boolean await(Job job) throws InterruptedException {
        while (isRunning(job)) {
            if (ring.room(hardware.head()) >= ROOM) {
                return true;
            }
            hardware.ring(ring.tail());
            bell.await();
            recover(job);
        }
        return false;
    }

    private boolean isRunning(Job job) {
        lock.lock();
        try {
            return up && running.contains(job);
        } finally {
            lock.unlock();
        }
    }

    /** If the card has stopped at a packet, its job fails, and the others go on. */
    private void recover(@Nullable Job writing) {
        if (!isUp() || !hardware.isHalted()) {
            return;
        }
        retire();
        long error = hardware.error();
        Job guilty = first();
        LOG.warn(
                "{} stopped with error {} at {}",
                name,
                "0x%06x".formatted(error),
                "0x%x".formatted(hardware.errorAddress()));
        if ((error & 0xFF) >= GpuRegisters.ERROR_FETCH || guilty == null) {
            onHang.run();
            return;
        }
        long end = guilty.end;
        fail(guilty, Errno.EIO);
        hardware.resume(end < 0 || guilty == writing ? ring.tail() : end);
    }

    private boolean isUp() {
        lock.lock();
        try {
            return up;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Job first() {
        lock.lock();
        try {
            return running.peek();
        } finally {
            lock.unlock();
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

    private void retire() {
        signal.lock();
        try {
            long reached = ring.reached();
            for (Job job = ended(reached); job != null; job = ended(reached)) {
                end(job, null);
            }
        } finally {
            signal.unlock();
        }
    }

    private @Nullable Job ended(long reached) {
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

    private void fail(Job job, Errno with) {
        signal.lock();
        try {
            boolean mine;
            lock.lock();
            try {
                mine = running.remove(job);
            } finally {
                lock.unlock();
            }
            if (mine) {
                end(job, with);
            }
        } finally {
            signal.unlock();
        }
    }

    /** [signal] */
    private void end(Job job, @Nullable Errno with) {
        job.waits.drop();
        boolean cookie = fences.beginSignalling();
        try {
            if (with != null) {
                job.fence.setError(with);
            }
            job.fence.signal();
        } finally {
            fences.endSignalling(cookie);
        }
        job.fence.put();
    }

    /** [lock] If the first job in the ring is the same one then, it hangs. */
    private void watch(Job first) {
        watch =
                execution.schedule(
                        name + ".hang", surroundings.timeoutNanos, () -> lookAfter(first));
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

    /**
     * Takes no more jobs, stops the card, and gives up what there is.
     *
     * @param with the error of what is given up
     */
    void park(Errno with) {
        lock.lock();
        try {
            up = false;
        } finally {
            lock.unlock();
        }
        hardware.stop();
        giveUp(with);
        bell.ring();
    }

    private void giveUp(Errno with) {
        signal.lock();
        try {
            List<Job> all = new ArrayList<>();
            long reached = ring.reached();
            lock.lock();
            try {
                all.addAll(running);
                all.addAll(queued);
                running.clear();
                queued.clear();
                Timer timer = watch;
                watch = null;
                if (timer != null) {
                    timer.cancel();
                }
            } finally {
                lock.unlock();
            }
            for (Job job : all) {
                end(job, job.end >= 0 && job.fence.seqno() <= reached ? null : with);
            }
        } finally {
            signal.unlock();
        }
    }

    /** Ends; gives up what there is. */
    void close() {
        park(Errno.ENODEV);
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        bell.ring();
        EmulatedThread ending = thread;
        boolean interrupted = false;
        while (ending != null && ending.isAlive()) {
            try {
                ending.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@return the timeline of all its fences} */
    long context() {
        return context;
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
