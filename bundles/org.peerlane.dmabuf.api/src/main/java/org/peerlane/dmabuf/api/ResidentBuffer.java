package org.peerlane.dmabuf.api;

import java.util.Arrays;
import java.util.List;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The operations of an exporter whose buffers are RAM that stays where it is: there is nothing to
 * pin, and importers are told nothing (HP-17, UB-5). An exporter overrides what it does otherwise.
 *
 * <p><b>Devices.</b> Each attachment has a table of its own, with one entry for each range at most.
 * <b>Cache.</b> The machine's memory is coherent: the brackets of a CPU access have nothing to do.
 * <b>Processes.</b> Shared mappings only, filled by faults page by page with plain frames, which
 * cannot be pinned as a process's memory.
 *
 * <p><b>Life.</b> That of the buffer. <b>Threads.</b> Any: immutable.
 */
public class ResidentBuffer
        implements DmaBufOperations,
                DmaBufOperations.CpuAccess,
                DmaBufOperations.Vmap,
                DmaBufOperations.Mmap {
    private static final long PAGE = PhysicalMemory.PAGE_BYTES;

    private final PhysicalMemory memory;
    private final List<AddressRange<PhysicalAddress>> ranges;
    private final Runnable free;

    /** By range: how many bytes of the buffer are before it; and then the buffer's size. */
    private final long[] starts;

    /**
     * @param ranges whole pages, in the order of the buffer's bytes
     * @param free gives the memory back
     */
    public ResidentBuffer(
            PhysicalMemory memory, List<AddressRange<PhysicalAddress>> ranges, Runnable free) {
        this.memory = memory;
        this.ranges = List.copyOf(ranges);
        this.free = free;
        starts = new long[ranges.size() + 1];
        for (int i = 0; i < ranges.size(); i++) {
            starts[i + 1] = starts[i] + ranges.get(i).bytes();
        }
    }

    /** {@return its ranges, in the order of its bytes} */
    protected final List<AddressRange<PhysicalAddress>> ranges() {
        return ranges;
    }

    /** {@return its size} */
    public final long bytes() {
        return starts[ranges.size()];
    }

    /**
     * [free] Exports it; if that fails, its memory is given back.
     *
     * @param exporterName such as {@code system}
     * @param flags the access mode
     * @return one reference, the bundle's of {@code dmabufs}
     * @throws org.peerlane.kernel.api.ErrnoException as {@link DmaBufs#export}
     */
    public final DmaBuf export(DmaBufs dmabufs, String exporterName, int flags) {
        boolean exported = false;
        try {
            DmaBuf made =
                    dmabufs.export(new ExportInfo(exporterName, this, bytes(), flags, null, this));
            exported = true;
            return made;
        } finally {
            if (!exported) {
                free.run();
            }
        }
    }

    // ---- devices

    @Override
    public void attach(DmaBuf buffer, Attachment attachment) {
        attachment.exporterPrivate(ranges);
    }

    @Override
    public SgTable map(Attachment attachment, DmaDirection direction) {
        DmaDevice dma = attachment.device().dma();
        return dma == null
                ? SgTable.ofPhysical(ranges, this)
                : dma.map(ranges, direction, MapAttributes.NONE);
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
        DmaDevice dma = attachment.device().dma();
        if (dma != null) {
            dma.unmap(table);
        }
    }

    // ---- the CPU

    @Override
    public void beginCpuAccess(DmaBuf buffer, DmaDirection direction) {}

    @Override
    public void endCpuAccess(DmaBuf buffer, DmaDirection direction) {}

    /** Only what is one run can be addressed as one segment. */
    @Override
    public IoSysMap vmap(DmaBuf buffer) {
        long first = ranges.getFirst().first().value();
        MemoryRegion region = isOneRun() ? memory.find(first) : null;
        if (region == null) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "%s is %d chunks, which are no single run of memory"
                            .formatted(buffer, ranges.size()));
        }
        return new IoSysMap(
                region.segment().asSlice(first - region.range().first().value(), bytes()), false);
    }

    private boolean isOneRun() {
        for (int i = 1; i < ranges.size(); i++) {
            if (ranges.get(i).first().value() != ranges.get(0).first().value() + starts[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void vunmap(DmaBuf buffer, IoSysMap map) {}

    // ---- processes

    @Override
    public MappableKind kind(DmaBuf buffer) {
        return MappableKind.FRAMES;
    }

    /** Shared only: a copy of its own would be no part of the buffer. */
    @Override
    public void mmap(DmaBuf buffer, CpuMapping mapping) {
        if (!mapping.isShared()) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "a private mapping of %s; expected a shared one".formatted(buffer));
        }
    }

    /** One page; beyond the buffer's end there is nothing. */
    @Override
    public FaultResult fault(DmaBuf buffer, Fault fault) {
        long offset = fault.offset();
        if (offset >= bytes()) {
            return FaultResult.BUS_ERROR;
        }
        int at = Arrays.binarySearch(starts, offset);
        int range = at >= 0 ? at : -at - 2;
        long physical = ranges.get(range).first().value() + offset - starts[range];
        fault.insert(fault.address(), physical, PAGE, true);
        return FaultResult.DONE;
    }

    @Override
    public void release(DmaBuf buffer) {
        free.run();
    }
}
