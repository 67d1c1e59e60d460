package org.peerlane.device.gpu;

import static org.peerlane.device.gpu.GpuRegister.RING_BASE;
import static org.peerlane.device.gpu.GpuRegister.RING_HEAD;
import static org.peerlane.device.gpu.GpuRegister.RING_IN_VRAM;
import static org.peerlane.device.gpu.GpuRegister.RING_SETUP;
import static org.peerlane.device.gpu.GpuRegister.SIZE_LG2;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.registers.RegisterFile;

/**
 * The engine's end of the ring: fetches up to 4 KiB of packets at a time, and hands out their
 * words. What has been fetched is not read again, so software cannot change a packet between its
 * check and its use.
 *
 * <pre>
 *   0          head                     tail         size
 *   |  free    | fetched |  not yet     |   free     |
 *              +-- at most 4 KiB
 * </pre>
 *
 * <p><b>Checkpoints.</b> gpu.ring.before-fetch. <b>Threads.</b> The engine's.
 */
final class CommandRing implements AutoCloseable {
    static final int MIN_LG2 = 12;
    static final int MAX_LG2 = 24;

    private static final long WINDOW_BYTES = 4096;
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Steps steps;
    private final DmaPort port;
    private final Vram vram;
    private final Trouble trouble;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment window = arena.allocate(WINDOW_BYTES, 4096);
    private final Checkpoint beforeFetch;

    private boolean inVram;
    private long base;
    private long size;
    private long head;

    /** What of the window is still to be used. */
    private long next;

    private long end;

    CommandRing(DeviceSlot slot, Steps steps, Vram vram, Trouble trouble) {
        this.steps = steps;
        this.vram = vram;
        this.trouble = trouble;
        port = slot.dma();
        beforeFetch = slot.execution().checkpoint("gpu.ring.before-fetch");
    }

    /** [held: gpu.device] Starts with what the registers say. */
    Outcome restart(RegisterFile<GpuRegister> registers) {
        next = 0;
        end = 0;
        long lg2 = registers.get(RING_SETUP, SIZE_LG2);
        size = lg2 < MIN_LG2 || lg2 > MAX_LG2 ? 0 : 1L << lg2;
        inVram = registers.get(RING_SETUP, RING_IN_VRAM) == 1;
        base = registers.get(RING_BASE);
        head = registers.get(RING_HEAD);
        boolean fits =
                inVram
                        ? vram.holds(base, size)
                        : Long.compareUnsigned(base, base + Math.max(size, 1) - 1) <= 0;
        if (size == 0 || !fits) {
            return trouble.is(GpuError.RING, base);
        }
        return head < size ? Outcome.DONE : trouble.is(GpuError.RING, head);
    }

    /** {@return the offset of the packet that is next} */
    long head() {
        return head;
    }

    /** {@return whether all that was fetched has been used} */
    boolean isUsedUp() {
        return next == end;
    }

    /** {@return a word of the packet that is next; {@link #have} has been asked for it} */
    long word(int index) {
        return window.get(LE_LONG, next + (long) index * Packet.WORD_BYTES);
    }

    /** The packet that was next is done. */
    void advance(int words) {
        long bytes = (long) words * Packet.WORD_BYTES;
        next += bytes;
        head = head + bytes & size - 1;
    }

    /** Sees to it that so many words of the packet that is next are there. */
    Outcome have(long life, long tail, int words) {
        long bytes = (long) words * Packet.WORD_BYTES;
        if (end - next >= bytes) {
            return Outcome.DONE;
        }
        if (tail >= size) {
            return trouble.is(GpuError.RING, tail);
        }
        long filled = tail - head & size - 1;
        return filled < bytes
                ? trouble.is(GpuError.TRUNCATED, tail)
                : fetch(life, Math.min(filled, WINDOW_BYTES));
    }

    private Outcome fetch(long life, long bytes) {
        beforeFetch.reached();
        if (!steps.enter(life)) {
            return Outcome.OVER;
        }
        try {
            long first = Math.min(bytes, size - head);
            Outcome outcome = read(base + head, 0, first);
            if (outcome == Outcome.DONE && first < bytes && !steps.isOver(life)) {
                outcome = read(base, first, bytes - first);
            }
            if (outcome == Outcome.DONE) {
                next = 0;
                end = bytes;
            }
            return outcome;
        } finally {
            steps.leave();
        }
    }

    private Outcome read(long address, long offset, long bytes) {
        if (inVram) {
            MemorySegment.copy(vram.bytes(), address, window, offset, bytes);
            return Outcome.DONE;
        }
        long result = port.read(address, DmaAttributes.NONE, window, offset, bytes);
        return DmaResult.isOk(result)
                ? Outcome.DONE
                : trouble.is(
                        GpuError.FETCH,
                        DmaResult.status(result),
                        address + DmaResult.bytes(result));
    }

    @Override
    public void close() {
        arena.close();
    }
}
