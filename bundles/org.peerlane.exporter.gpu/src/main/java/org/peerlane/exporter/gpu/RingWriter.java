package org.peerlane.exporter.gpu;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;

/**
 * Writes jobs to the ring, and has the card go on behind a packet that it stopped at.
 *
 * <p><b>Locks.</b> {@code gpu.ring} is held around each write of packets or registers, and a look
 * whether the job still runs is made with it: so no packet of work that a reset has given up is in
 * the ring that the card begins anew with. It is taken before those of {@link Engine} and {@link
 * JobQueue}.
 *
 * <p><b>Threads.</b> {@link #write} and {@link #recover} are the engine's thread's, {@link #start}
 * and {@link #stop} anybody's.
 */
final class RingWriter {
    private static final Logger LOG = LogManager.getLogger(RingWriter.class);

    /** Of a packet, one that reads back, and a fence, with a word for one that tells of room. */
    private static final long ROOM = 64;

    /** The card tells of room that often. */
    private static final int STEPS_PER_TRAP = 256;

    /** As much as a read that pushes writes needs to read. */
    private static final long READ_BACK = 4;

    private final Engine engine;
    private final Hardware hardware;
    private final CommandRing ring;
    private final Doorbell bell;
    private final NamedLock lock;

    /** What the card answers to reads that push its writes goes there: a page of its own. */
    private final Run scratch;

    RingWriter(
            Surroundings surroundings,
            Engine engine,
            Hardware hardware,
            CommandRing ring,
            Doorbell bell,
            Run scratch) {
        this.engine = engine;
        this.hardware = hardware;
        this.ring = ring;
        this.bell = bell;
        this.scratch = scratch;
        lock = surroundings.execution.lock("gpu.ring");
    }

    /** The card begins anew, with nothing in the ring. */
    void start() {
        lock.lock();
        try {
            ring.rewind();
            hardware.run(ring.address(), CommandRing.BYTES_LG2);
            engine.jobs().up(true);
        } finally {
            lock.unlock();
        }
    }

    /** The card does nothing any more, and nothing more is written. */
    void stop() {
        lock.lock();
        try {
            engine.jobs().up(false);
            hardware.stop();
        } finally {
            lock.unlock();
        }
    }

    /** Writes a job's packets, as far as it is not given up meanwhile. */
    void write(Job job) throws InterruptedException {
        int count = 0;
        for (Job.Step step : job.steps) {
            if (!lockWithRoom(job)) {
                return;
            }
            try {
                put(step);
                if (++count % STEPS_PER_TRAP == 0) {
                    ring.put(GpuRegisters.trap());
                    hardware.ring(ring.tail());
                }
            } finally {
                lock.unlock();
            }
        }
        if (lockWithRoom(job)) {
            try {
                end(job);
            } finally {
                lock.unlock();
            }
        }
    }

    /** {@return whether there is room, with the lock held; false: the job has been given up} */
    private boolean lockWithRoom(Job job) throws InterruptedException {
        while (true) {
            lock.lock();
            boolean mine = false;
            try {
                if (!engine.jobs().isRunning(job)) {
                    return false;
                }
                mine = ring.room(hardware.head()) >= ROOM;
                if (mine) {
                    return true;
                }
                hardware.ring(ring.tail());
            } finally {
                if (!mine) {
                    lock.unlock();
                }
            }
            bell.await();
            recover(job);
        }
    }

    /** [held] */
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

    /** [held] */
    private void end(Job job) {
        if (job.flush && !job.steps.isEmpty()) {
            readBack(job.steps.getLast().target());
        }
        ring.putFence(job.fence.seqno());
        job.end = ring.tail();
        hardware.ring(ring.tail());
    }

    /** A read pushes the writes that went the same way before: the fence comes after them. */
    private void readBack(Run target) {
        long bytes = Math.min(READ_BACK, target.bytes());
        ring.put(GpuRegisters.copy(target.space(), scratch.space()));
        ring.put(target.address() + target.bytes() - bytes);
        ring.put(scratch.address());
        ring.put(bytes);
    }

    /**
     * If the card has stopped at a packet, its job fails, and the others go on.
     *
     * @param writing the job that is being written; null: none
     */
    void recover(@Nullable Job writing) {
        lock.lock();
        try {
            if (!engine.jobs().isUp() || !hardware.isHalted()) {
                return;
            }
            hardware.drain(); // fences of before are there now
            engine.retire();
            long error = hardware.error();
            Job guilty = engine.jobs().first();
            LOG.warn(
                    "{} stopped with error {} at {}",
                    engine.driverName(),
                    "0x%06x".formatted(error),
                    "0x%x".formatted(hardware.errorAddress()));
            if ((error & 0xFF) >= GpuRegisters.ERROR_FETCH || guilty == null) {
                engine.hangs();
                return;
            }
            long end = guilty.end;
            engine.fail(guilty, Errno.EIO);
            hardware.resume(end < 0 || guilty == writing ? ring.tail() : end);
        } finally {
            lock.unlock();
        }
    }
}
