package org.peerlane.exporter.gpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.peerlane.iommu.api.CoherentBuffer;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The ring that packets go through, and the word that fences are written to. Both are memory that
 * the card shares.
 *
 * <p><b>Threads.</b> One at a time writes packets, and one reads the fence's word.
 */
final class CommandRing implements AutoCloseable {
    static final int BYTES_LG2 = 16;
    static final long BYTES = 1L << BYTES_LG2;

    private static final long WORD = 8;
    private static final ValueLayout.OfLong LITTLE =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final PhysicalMemory memory;
    private final DmaDevice dma;
    private final CoherentBuffer ring;
    private final CoherentBuffer fence;

    /** A word on its way to the ring. */
    private final MemorySegment word = MemorySegment.ofArray(new long[1]);

    private final MemorySegment read = MemorySegment.ofArray(new long[1]);

    private long tail;

    CommandRing(PhysicalMemory memory, DmaDevice dma) {
        this.memory = memory;
        this.dma = dma;
        ring = dma.allocateCoherent(BYTES);
        boolean whole = false;
        try {
            fence = dma.allocateCoherent(PhysicalMemory.PAGE_BYTES);
            whole = true;
        } finally {
            if (!whole) {
                dma.freeCoherent(ring);
            }
        }
    }

    /** {@return the ring, as the card addresses it} */
    long address() {
        return ring.dmaAddress();
    }

    /** {@return where the next packet goes} */
    long tail() {
        return tail;
    }

    /** The card begins anew. */
    void rewind() {
        tail = 0;
    }

    /** {@return bytes that packets can take; a word always stays free} */
    long room(long head) {
        return (head - tail - WORD) & BYTES - 1;
    }

    /** Adds a word; there has to be room. */
    void put(long value) {
        word.set(LITTLE, 0, value);
        memory.write(ring.physical().value() + tail, word, 0, WORD);
        tail = tail + WORD & BYTES - 1;
    }

    /** Adds a packet that writes a fence's number and interrupts. */
    void putFence(long seqno) {
        put(GpuRegisters.fence());
        put(fence.dmaAddress());
        put(seqno);
    }

    /** {@return the number that was written last} */
    long reached() {
        memory.read(fence.physical().value(), read, 0, WORD);
        return read.get(LITTLE, 0);
    }

    @Override
    public void close() {
        dma.freeCoherent(fence);
        dma.freeCoherent(ring);
    }
}
