package org.peerlane.device.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The card's memory: the engine's, and through the BAR everybody's. All zeros after each reset.
 *
 * <p><b>Threads.</b> Any; nothing orders the accesses of different ones.
 */
final class Vram implements AutoCloseable {
    private static final long PAGE = 4096;
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = LE_LONG.varHandle();

    private final Arena arena = Arena.ofShared();
    private final MemorySegment bytes;

    /**
     * @throws ErrnoException {@code ENOMEM} this process has no room for it
     */
    Vram(long size) {
        try {
            bytes = arena.allocate(size, PAGE);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "no room for %d MiB of VRAM: %s".formatted(size / GpuBoard.MIB, e.getMessage()),
                    e);
        }
    }

    MemorySegment bytes() {
        return bytes;
    }

    long size() {
        return bytes.byteSize();
    }

    /** {@return whether a range is inside; any two numbers may be asked for} */
    boolean holds(long offset, long length) {
        return offset >= 0 && length >= 0 && length <= size() && offset <= size() - length;
    }

    /** {@return a little-endian word, as it is at one moment} */
    long word(long offset) {
        return (long) LONG.getAcquire(bytes, offset);
    }

    /** Stores a little-endian word at once, behind all that this thread has stored before. */
    void word(long offset, long value) {
        LONG.setRelease(bytes, offset, value);
    }

    /** What an earlier user left, the next one must not see. */
    void wipe() {
        bytes.fill((byte) 0);
    }

    @Override
    public void close() {
        arena.close();
    }
}
