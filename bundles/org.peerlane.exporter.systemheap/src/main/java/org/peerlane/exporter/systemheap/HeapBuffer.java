package org.peerlane.exporter.systemheap;

import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.IoSysMap;
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
 * A buffer of the system heap. Its memory never moves, so it has nothing to pin and tells importers
 * nothing (HP-17).
 *
 * <p><b>Cache.</b> The machine's memory is coherent: the brackets of a CPU access have nothing to
 * do (HP-15), but to be there.
 *
 * <p><b>Life.</b> That of the buffer. <b>Threads.</b> Any.
 */
final class HeapBuffer
        implements DmaBufOperations,
                DmaBufOperations.CpuAccess,
                DmaBufOperations.Vmap,
                DmaBufOperations.Mmap {
    private static final long PAGE = PhysicalMemory.PAGE_BYTES;

    private final PhysicalMemory memory;
    private final Chunks chunks;
    private final long bytes;
    private final boolean pageByPage;

    /**
     * @param pageByPage how it is put into a process: one call for each page, or for each chunk
     */
    HeapBuffer(PhysicalMemory memory, Chunks chunks, long bytes, boolean pageByPage) {
        this.memory = memory;
        this.chunks = chunks;
        this.bytes = bytes;
        this.pageByPage = pageByPage;
    }

    // ---- devices

    /** Each attachment has a table of its own, with one mapping at a time (HP-13, DB-41). */
    @Override
    public void attach(DmaBuf buffer, Attachment attachment) {
        attachment.exporterPrivate(chunks.ranges());
    }

    @Override
    public SgTable map(Attachment attachment, DmaDirection direction) {
        DmaDevice dma = attachment.device().dma();
        return dma == null
                ? SgTable.ofPhysical(chunks.ranges(), this)
                : dma.map(chunks.ranges(), direction, MapAttributes.NONE);
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
        long first = chunks.ranges().getFirst().first().value();
        MemoryRegion region = chunks.isOneRun() ? memory.find(first) : null;
        if (region == null) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "%s is %d chunks, which are no single run of memory"
                            .formatted(buffer, chunks.ranges().size()));
        }
        return new IoSysMap(
                region.segment().asSlice(first - region.range().first().value(), bytes), false);
    }

    @Override
    public void vunmap(DmaBuf buffer, IoSysMap map) {}

    // ---- processes

    /** Frames, as the kernel maps them: who pins them as his memory gets EFAULT. */
    @Override
    public MappableKind kind(DmaBuf buffer) {
        return MappableKind.FRAMES;
    }

    /** Everything at once, so that there are no faults later (HP-18, HP-19). */
    @Override
    public void mmap(DmaBuf buffer, CpuMapping mapping) {
        long skip = mapping.offset();
        long at = mapping.first();
        long end = at + mapping.bytes();
        for (AddressRange<PhysicalAddress> chunk : chunks.ranges()) {
            if (at >= end) {
                return;
            }
            if (skip >= chunk.bytes()) {
                skip -= chunk.bytes();
                continue;
            }
            long run = Math.min(chunk.bytes() - skip, end - at);
            insert(mapping, at, chunk.first().value() + skip, run);
            at += run;
            skip = 0;
        }
    }

    private void insert(CpuMapping mapping, long at, long physical, long run) {
        if (!pageByPage) {
            mapping.insert(at, physical, run);
            return;
        }
        for (long done = 0; done < run; done += PAGE) {
            mapping.insert(at + done, physical + done, PAGE);
        }
    }

    /** After a revoke nothing comes back. */
    @Override
    public FaultResult fault(DmaBuf buffer, Fault fault) {
        return FaultResult.BUS_ERROR;
    }

    @Override
    public void release(DmaBuf buffer) {
        chunks.free();
    }
}
