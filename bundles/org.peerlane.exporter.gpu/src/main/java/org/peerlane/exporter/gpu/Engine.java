package org.peerlane.exporter.gpu;

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
import org.peerlane.exec.api.ThreadKind;
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
 * <p><b>Threads.</b> Any submits; one of its own, {@code gpu0.engine}, writes the ring.
 */
final class Engine implements FenceOperations {
    private static final Logger LOG = LogManager.getLogger(Engine.class);

    /** Of a packet and a fence, with a word for the packet that tells of room. */
    private static final long ROOM = 64;

    /** The engine tells of room that often. */
    private static final int STEPS_PER_TRAP = 256;

    private final Surroundings surroundings;
    private final String name;
    private final Hardware hardware;
    private final CommandRing ring;
    private final Fences fences;
    private final long context;
    private final Runnable onHang;
    private final Doorbell bell;
    private final JobQueue queue;
    private final JobEnds ends;

    /** What the card answers to reads that push its writes goes there: a page of its own. */
    private final Run scratch;

    private @Nullable EmulatedThread thread;

    /**
     * @param scratch a page of the card that nobody uses
     * @param onHang called when the card does not go on by itself; returns at once
     */
    Engine(
            Surroundings surroundings,
            String name,
            Hardware hardware,
            CommandRing ring,
            Run scratch,
            Runnable onHang) {
        this.surroundings = surroundings;
        this.name = name;
        this.hardware = hardware;
        this.ring = ring;
        this.scratch = scratch;
        this.onHang = onHang;
        Execution execution = surroundings.execution;
        fences = surroundings.dmabufs.fences();
        context = fences.allocateContexts(1);
        bell = new Doorbell(execution, "gpu.bell");
        queue = new JobQueue(execution, name, surroundings.timeoutNanos, onHang);
        ends = new JobEnds(execution, queue, ring, fences);
    }

    /** Takes jobs from now on; the card has been reset, or is new. */
    void start() {
        ring.rewind();
        hardware.run(ring.address(), CommandRing.BYTES_LG2);
        queue.up();
        if (thread == null) {
            thread =
                    surroundings.execution.start(ThreadKind.BLOCKING, name + ".engine", this::loop);
        }
    }

    /**
     * Queues a job.
     *
     * @param flush whether its last bytes are read back before it ends: they go to a peer
     * @param waits what it has to come after; a reference of each goes here, whatever happens
     * @return its fence, with one reference, the caller's
     * @throws ErrnoException as {@link JobQueue#add}
     */
    Fence submit(List<Job.Step> steps, boolean flush, List<Fence> waits) {
        Fence fence = fences.allocate(this);
        Job job = new Job(steps, flush, new Dependencies(waits, bell), fence);
        boolean taken = false;
        fence.get();
        try {
            queue.add(job, seqno -> fences.init64(fence, context, seqno));
            taken = true;
        } finally {
            if (!taken) {
                job.waits.drop();
                fence.put();
                fence.put();
            }
        }
        bell.ring();
        return fence;
    }

    // ---- its thread

    private void loop() {
        try {
            while (!queue.isClosed()) {
                ends.endCancelled();
                Job job = queue.takeReady();
                if (job == null) {
                    bell.await();
                    recover(null);
                } else {
                    write(job);
                }
            }
        } catch (InterruptedException e) {
            // it leaves
        }
    }

    private void write(Job job) throws InterruptedException {
        surroundings.beforeWritten.reached();
        int count = 0;
        for (Job.Step step : job.steps) {
            if (!awaitRoom(job)) {
                return;
            }
            put(step);
            if (++count % STEPS_PER_TRAP == 0) {
                ring.put(GpuRegisters.trap());
                hardware.ring(ring.tail());
            }
        }
        if (!awaitRoom(job)) {
            return;
        }
        if (job.flush && !job.steps.isEmpty()) {
            readBack(job.steps.getLast().target());
            if (!awaitRoom(job)) {
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
    private boolean awaitRoom(Job job) throws InterruptedException {
        while (queue.isRunning(job)) {
            if (ring.room(hardware.head()) >= ROOM) {
                return true;
            }
            hardware.ring(ring.tail());
            bell.await();
            recover(job);
        }
        return false;
    }

    /** If the card has stopped at a packet, its job fails, and the others go on. */
    private void recover(@Nullable Job writing) {
        if (!queue.isUp() || !hardware.isHalted()) {
            return;
        }
        ends.retire();
        long error = hardware.error();
        Job guilty = queue.first();
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
        ends.fail(guilty, Errno.EIO);
        hardware.resume(end < 0 || guilty == writing ? ring.tail() : end);
    }

    // ---- what the card says

    /** Something has ended. */
    void onFence() {
        ends.retire();
        bell.ring();
    }

    /** It has stopped, or there is room. */
    void onNews() {
        bell.ring();
    }

    // ---- its end

    /**
     * Takes no more jobs, stops the card, and gives up what there is: at once what the card had,
     * and the others when what they wait for has ended.
     *
     * @param with the error of what is given up
     */
    void park(Errno with) {
        queue.down(with);
        hardware.stop();
        ends.giveUp(with);
        bell.ring();
    }

    /** Ends; gives up what there is, whatever it waits for. */
    void close() {
        park(Errno.ENODEV);
        queue.close();
        bell.ring();
        EmulatedThread ending = thread;
        if (ending != null) {
            ending.joinUninterruptibly();
        }
        ends.abandon(Errno.ENODEV);
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
