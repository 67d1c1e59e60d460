package org.peerlane.exporter.systemheap;

import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ResidentBuffer;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * A buffer of the system heap, which processes have all at once.
 *
 * <p><b>Life.</b> That of the buffer. <b>Threads.</b> Any.
 */
final class HeapBuffer extends ResidentBuffer {
    private static final long PAGE = PhysicalMemory.PAGE_BYTES;

    private final boolean pageByPage;

    /**
     * @param pageByPage how it is put into a process: one call for each page, or for each chunk
     */
    HeapBuffer(PhysicalMemory memory, Chunks chunks, boolean pageByPage) {
        super(memory, chunks.ranges(), chunks::free);
        this.pageByPage = pageByPage;
    }

    /** Everything at once, so that there are no faults later (HP-18, HP-19). */
    @Override
    public void mmap(DmaBuf buffer, CpuMapping mapping) {
        long skip = mapping.offset();
        long at = mapping.first();
        long end = at + mapping.bytes();
        for (AddressRange<PhysicalAddress> chunk : ranges()) {
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
}
