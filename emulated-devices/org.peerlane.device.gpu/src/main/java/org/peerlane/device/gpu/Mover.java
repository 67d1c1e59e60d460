package org.peerlane.device.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.trace.api.Tracepoint;

/**
 * Moves the bytes: copies, fills, single words. A range is moved from its start in steps of at most
 * {@value #STEP_BYTES} bytes that stay inside one page of the MMU's on either side; a reset or an
 * invalidation comes between two of them.
 *
 * <p><b>Checkpoints.</b> gpu.copy.before-copy and gpu.fill.before-copy before each step,
 * gpu.fence.before-write.
 *
 * <p><b>Threads.</b> The engine's. <b>Cost.</b> Segment to segment, no allocation.
 *
 * <p><b>Not modelled.</b> What a copy between ranges that overlap leaves is nobody's promise.
 */
final class Mover implements AutoCloseable {
    static final long STEP_BYTES = 64 << 10;

    private static final int PATTERN_BYTES = 4;
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE_INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final String slot;
    private final Steps steps;
    private final DmaPort port;
    private final Vram vram;
    private final MemorySegment memory;
    private final GpuMmu mmu;
    private final Addresses addresses;
    private final Trouble trouble;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment bounce = arena.allocate(STEP_BYTES, 4096);
    private final Place from = new Place();
    private final Place to = new Place();
    private final Checkpoint beforeCopy;
    private final Checkpoint beforeFill;
    private final Checkpoint beforeFence;
    private final Tracepoint<GpuFenceWritten> fenceWritten;

    Mover(DeviceSlot slot, Steps steps, Vram vram, GpuMmu mmu, Trouble trouble) {
        this.slot = slot.name();
        this.steps = steps;
        this.vram = vram;
        this.mmu = mmu;
        this.trouble = trouble;
        port = slot.dma();
        memory = vram.bytes();
        addresses = new Addresses(vram, mmu, trouble);
        beforeCopy = slot.execution().checkpoint("gpu.copy.before-copy");
        beforeFill = slot.execution().checkpoint("gpu.fill.before-copy");
        beforeFence = slot.execution().checkpoint("gpu.fence.before-write");
        fenceWritten = slot.tracer().point(GpuFenceWritten.class);
    }

    /** Copies; what was copied before a failure stays copied. */
    Outcome copy(long life, Space source, long at, Space destination, long target, long bytes) {
        Outcome outcome = addresses.check(source, at, bytes);
        if (outcome == Outcome.DONE) {
            outcome = addresses.check(destination, target, bytes);
        }
        for (long done = 0; outcome == Outcome.DONE && done < bytes; ) {
            beforeCopy.reached();
            if (!steps.enter(life)) {
                return Outcome.OVER;
            }
            try {
                outcome = addresses.find(source, at + done, bytes - done, false, from);
                if (outcome == Outcome.DONE) {
                    outcome = addresses.find(destination, target + done, bytes - done, true, to);
                }
                if (outcome == Outcome.DONE) {
                    long run = Math.min(Math.min(from.run(), to.run()), bytes - done);
                    long step = Math.min(run, STEP_BYTES);
                    outcome = step(life, step);
                    done += step;
                }
            } finally {
                steps.leave();
            }
            mmu.follow();
        }
        return outcome;
    }

    private Outcome step(long life, long bytes) {
        if (from.isVram()) {
            return store(life, memory, from.address(), bytes);
        }
        if (to.isVram()) {
            return load(life, memory, to.address(), bytes);
        }
        Outcome outcome = load(life, bounce, 0, bytes);
        return outcome == Outcome.DONE ? store(life, bounce, 0, bytes) : outcome;
    }

    /** Reads {@link #from} on the bus. */
    private Outcome load(long life, MemorySegment local, long offset, long bytes) {
        if (steps.isOver(life)) {
            return Outcome.OVER; // the walk before has met a reset
        }
        return answered(
                port.read(from.address(), DmaAttributes.NONE, local, offset, bytes),
                from.address());
    }

    /** Writes {@link #to}, wherever that is. */
    private Outcome store(long life, MemorySegment local, long offset, long bytes) {
        if (steps.isOver(life)) {
            return Outcome.OVER;
        }
        if (to.isVram()) {
            MemorySegment.copy(local, offset, memory, to.address(), bytes);
            return Outcome.DONE;
        }
        return answered(
                port.write(to.address(), DmaAttributes.NONE, local, offset, bytes), to.address());
    }

    private Outcome answered(long result, long address) {
        return DmaResult.isOk(result)
                ? Outcome.DONE
                : trouble.is(
                        GpuError.BUS, DmaResult.status(result), address + DmaResult.bytes(result));
    }

    /** Fills; address and length are multiples of 4. */
    Outcome fill(long life, Space destination, long target, long bytes, int pattern) {
        if (((target | bytes) & PATTERN_BYTES - 1) != 0) {
            return trouble.is(GpuError.ALIGNMENT, target);
        }
        Outcome outcome = addresses.check(destination, target, bytes);
        if (outcome == Outcome.DONE && bytes > 0) {
            spread(pattern, Math.min(bytes, STEP_BYTES));
        }
        for (long done = 0; outcome == Outcome.DONE && done < bytes; ) {
            beforeFill.reached();
            if (!steps.enter(life)) {
                return Outcome.OVER;
            }
            try {
                outcome = addresses.find(destination, target + done, bytes - done, true, to);
                if (outcome == Outcome.DONE) {
                    long run = Math.min(to.run(), bytes - done);
                    long step = Math.min(run, STEP_BYTES);
                    outcome = store(life, bounce, 0, step);
                    done += step;
                }
            } finally {
                steps.leave();
            }
            mmu.follow();
        }
        return outcome;
    }

    /** Makes a block of the pattern, by doubling it. */
    private void spread(int pattern, long bytes) {
        bounce.set(LE_INT, 0, pattern);
        for (long made = PATTERN_BYTES; made < bytes; made *= 2) {
            MemorySegment.copy(bounce, 0, bounce, made, Math.min(made, bytes - made));
        }
    }

    /** Writes the value of a fence; the address is a multiple of 8. */
    Outcome fence(long life, Space destination, long target, long value) {
        if ((target & Long.BYTES - 1) != 0) {
            return trouble.is(GpuError.ALIGNMENT, target);
        }
        Outcome outcome = addresses.check(destination, target, Long.BYTES);
        if (outcome != Outcome.DONE) {
            return outcome;
        }
        beforeFence.reached();
        if (!steps.enter(life)) {
            return Outcome.OVER;
        }
        try {
            outcome = addresses.find(destination, target, Long.BYTES, true, to);
            if (outcome == Outcome.DONE) {
                outcome = word(life, value);
            }
        } finally {
            steps.leave();
        }
        if (outcome == Outcome.DONE && fenceWritten.isOn()) {
            fenceWritten.emit(new GpuFenceWritten(slot, to.isVram(), to.address(), value));
        }
        return outcome;
    }

    /** In a step: writes 8 bytes to a place that has been checked. */
    Outcome word(long life, boolean inVram, long address, long value) {
        to.is(inVram, address, Long.BYTES);
        return word(life, value);
    }

    private Outcome word(long life, long value) {
        if (to.isVram() && !steps.isOver(life)) {
            vram.word(to.address(), value);
            return Outcome.DONE;
        }
        bounce.set(LE_LONG, 0, value);
        return store(life, bounce, 0, Long.BYTES);
    }

    @Override
    public void close() {
        arena.close();
    }
}
