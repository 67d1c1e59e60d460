package org.peerlane.device.edu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.trace.api.Tracepoint;

/**
 * The DMA engine's data path: moves bytes between the bus and the 4 KiB buffer at device address
 * 0x40000.
 *
 * <p><b>Threads.</b> The engine's only; the buffer belongs to that thread too.
 *
 * <p><b>Departure.</b> QEMU checks the range and goes on all the same, past the end of its buffer.
 * Here a bad range is counted and traced, and nothing moves.
 */
final class EduTransfer implements AutoCloseable {
    static final long BUFFER = 0x40000;
    static final long BUFFER_BYTES = 4096;

    private static final Logger LOG = LogManager.getLogger(EduTransfer.class);

    private final String slot;
    private final DmaPort port;
    private final long mask;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(BUFFER_BYTES, BUFFER_BYTES);
    private final Tracepoint<EduDmaFailed> failed;
    private final Checkpoint beforeCopy;
    private volatile long failures; // written by the engine's thread only

    /**
     * Makes the data path of one device.
     *
     * @param mask address bits that the engine has; higher ones are dropped, as QEMU does
     */
    EduTransfer(DeviceSlot slot, long mask) {
        this.slot = slot.name();
        this.mask = mask;
        port = slot.dma();
        failed = slot.tracer().point(EduDmaFailed.class);
        beforeCopy = slot.execution().checkpoint("edu.dma.before-copy");
    }

    /** {@return whether all bytes were moved} */
    boolean run(boolean toRam, long source, long destination, long bytes) {
        long ram = (toRam ? destination : source) & mask;
        long inside = toRam ? source : destination;
        long offset = inside - BUFFER;
        if (offset < 0 || offset > BUFFER_BYTES || bytes < 0 || bytes > BUFFER_BYTES - offset) {
            fail(toRam, ram, inside, bytes, "range outside the buffer");
            return false;
        }
        if (bytes == 0) {
            return true;
        }
        beforeCopy.reached();
        long result =
                toRam
                        ? port.write(ram, DmaAttributes.NONE, buffer, offset, bytes)
                        : port.read(ram, DmaAttributes.NONE, buffer, offset, bytes);
        if (!DmaResult.isOk(result)) {
            fail(toRam, ram, inside, bytes, DmaResult.describe(result));
        }
        return DmaResult.isOk(result);
    }

    private void fail(boolean toRam, long ram, long inside, long bytes, String reason) {
        long before = failures;
        failures = before + 1;
        if (before == 0) {
            LOG.warn(
                    "{}: DMA of {} bytes, RAM 0x{}, device 0x{}: {}; later ones are only counted",
                    slot,
                    Long.toUnsignedString(bytes),
                    Long.toHexString(ram),
                    Long.toHexString(inside),
                    reason);
        }
        if (failed.isOn()) {
            failed.emit(new EduDmaFailed(slot, toRam, ram, inside, bytes, reason));
        }
    }

    /** {@return transfers that did not move all of their bytes} */
    long failures() {
        return failures;
    }

    /** What an earlier user left in the buffer, the next one must not see. */
    void wipe() {
        buffer.fill((byte) 0);
    }

    @Override
    public void close() {
        arena.close();
    }
}
