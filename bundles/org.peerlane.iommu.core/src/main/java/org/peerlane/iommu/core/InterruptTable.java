package org.peerlane.iommu.core;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.Objects;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The interrupt remapping table, in memory (IM-9; VT-d 5.1 and 9.10): 4096 entries of
 *
 * <pre>
 *  low   | destination 63:32 | vector 23:16 | delivery 7:5 | trigger 4 | hint 3 | mode 2 | P 0 |
 *  high  | source validation 19:18 | qualifier 17:16 | source id 15:0 |
 * </pre>
 *
 * <p>A message in the remappable format carries the handle in address bits 19:5 and 2, and has bit
 * 4 set; with bit 3 the low half of the data is added to the handle.
 *
 * <p><b>Threads.</b> Any. <b>Cost.</b> A look-up: two loads, no lock, no allocation.
 */
final class InterruptTable {
    static final int ENTRIES = 4096;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(LITTLE_ENDIAN);
    private static final int ENTRY_BYTES = 16;
    private static final int ORDER = 4; // 16 pages
    private static final long WINDOW = 0xFEE0_0000L;
    private static final long PRESENT = 1;
    private static final long RESERVED_LOW = 0xFFFF_FFFFL & ~0x00FF_8FFFL;
    private static final long RESERVED_HIGH = -1L << 20;
    private static final long VALIDATE_SOURCE = 1L << 18;

    private final PageAllocator pages;
    private final long physical;
    private final MemorySegment table;
    private final NamedLock lock;
    private final BitSet used = new BitSet(); // guarded by lock
    private final Faults faults;

    InterruptTable(Execution execution, PhysicalMemory memory, Faults faults) {
        this.faults = faults;
        pages = memory.pages();
        physical = pages.allocate(ORDER);
        MemoryRegion region = Objects.requireNonNull(memory.find(physical));
        table =
                region.segment()
                        .asSlice(
                                physical - region.range().first().value(),
                                (long) ENTRIES * ENTRY_BYTES);
        table.fill((byte) 0);
        lock = execution.lock("iommu.interrupt-table");
    }

    /** As {@link org.peerlane.bus.api.DmaTranslation#interrupt}. */
    long look(int requester, long address, int data) {
        if ((address & 1 << 4) == 0) {
            return blocked(requester, address, FaultReason.INTERRUPT_COMPATIBILITY);
        }
        boolean sub = (address & 1 << 3) != 0;
        if (sub && data >>> 16 != 0) {
            return blocked(requester, address, FaultReason.INTERRUPT_RESERVED);
        }
        int handle = handle(address) + (sub ? data & 0xFFFF : 0);
        if (handle >= ENTRIES) {
            return blocked(requester, address, FaultReason.INTERRUPT_INDEX);
        }
        long low = table.get(LONG, (long) handle * ENTRY_BYTES);
        long high = table.get(LONG, (long) handle * ENTRY_BYTES + 8);
        if ((low & PRESENT) == 0) {
            return blocked(requester, address, FaultReason.INTERRUPT_ABSENT);
        }
        if ((low & RESERVED_LOW) != 0 || (high & RESERVED_HIGH) != 0) {
            return blocked(requester, address, FaultReason.INTERRUPT_RESERVED);
        }
        if ((high & VALIDATE_SOURCE) != 0 && (high & 0xFFFF) != (requester & 0xFFFF)) {
            return blocked(requester, address, FaultReason.INTERRUPT_SOURCE);
        }
        long to = WINDOW | (low >>> 32 & 0xFF) << 12 | (low & 0xC);
        return to << 32 | (low >>> 16 & 0xFF) | (low >>> 5 & 7) << 8 | (low >>> 4 & 1) << 15;
    }

    private static int handle(long address) {
        return (int) (address >>> 5 & 0x7FFF | (address >>> 2 & 1) << 15);
    }

    private long blocked(int requester, long address, FaultReason reason) {
        faults.record(requester, 0, address, true, reason.code());
        return -1;
    }

    /** As {@link org.peerlane.iommu.api.Iommu#remapInterrupt}. */
    long map(PcieAddress source, long address, int data) {
        if (address >>> 20 != Translator.INTERRUPT_MIB) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "interrupt message to 0x%x; expected 0xfee00000 to 0xfeefffff"
                            .formatted(address));
        }
        lock.lock();
        try {
            int handle = used.nextClearBit(0);
            if (handle >= ENTRIES) {
                throw new ErrnoException(
                        Errno.ENOSPC, "all " + ENTRIES + " interrupt remapping entries are taken");
            }
            used.set(handle);
            long at = (long) handle * ENTRY_BYTES;
            table.set(LONG, at + 8, VALIDATE_SOURCE | source.requesterId());
            long low =
                    (address >>> 12 & 0xFF) << 32
                            | (data & 0xFFL) << 16
                            | (data >>> 8 & 7L) << 5
                            | (data >>> 15 & 1L) << 4
                            | address & 0xC
                            | PRESENT;
            LONG.varHandle().setRelease(table, at, low);
            long message = WINDOW | (handle & 0x7FFFL) << 5 | 1 << 4 | (handle >>> 15 & 1L) << 2;
            return message << 32;
        } finally {
            lock.unlock();
        }
    }

    /** As {@link org.peerlane.iommu.api.Iommu#unmapInterrupt}. */
    void unmap(long message) {
        int handle = handle(message >>> 32);
        lock.lock();
        try {
            if (handle < ENTRIES && used.get(handle)) {
                LONG.varHandle().setRelease(table, (long) handle * ENTRY_BYTES, 0L);
                used.clear(handle);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Nobody looks any more. */
    void close() {
        pages.free(physical, ORDER);
    }
}
