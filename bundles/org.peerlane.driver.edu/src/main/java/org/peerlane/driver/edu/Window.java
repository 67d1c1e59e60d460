package org.peerlane.driver.edu;

import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/** Pages that an edu device reaches: a run of memory, mapped for one direction. */
final class Window implements AutoCloseable {
    private final PageAllocator pages;
    private final DmaDevice dma;
    private final long physical;
    private final long dmaAddress;
    private final int order;

    private Window(PageAllocator pages, DmaDevice dma, long physical, long dmaAddress, int order) {
        this.pages = pages;
        this.dma = dma;
        this.physical = physical;
        this.dmaAddress = dmaAddress;
        this.order = order;
    }

    /**
     * Takes and maps one run; smaller than asked for if there is none so large.
     *
     * @throws ErrnoException {@code ENOMEM} not even one page is free and can be mapped
     */
    static Window take(PageAllocator pages, DmaDevice dma, DmaDirection direction, int wanted) {
        for (int order = wanted; ; order--) {
            try {
                return takeExactly(pages, dma, direction, order);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOMEM || order == 0) {
                    throw e;
                }
            }
        }
    }

    private static Window takeExactly(
            PageAllocator pages, DmaDevice dma, DmaDirection direction, int order) {
        long at = pages.allocate(order);
        try {
            long mapped = dma.map(at, bytes(order), direction, MapAttributes.NONE);
            return new Window(pages, dma, at, mapped, order);
        } catch (ErrnoException e) {
            pages.free(at, order);
            throw e;
        }
    }

    /** {@return the order whose run holds so many bytes, the largest one at most} */
    static int orderFor(long bytes) {
        int order = 0;
        while (order < PageAllocator.MAX_ORDER && bytes(order) < bytes) {
            order++;
        }
        return order;
    }

    private static long bytes(int order) {
        return PhysicalMemory.PAGE_BYTES << order;
    }

    /** {@return where it is for the CPU} */
    long physical() {
        return physical;
    }

    /** {@return where it is for the device} */
    long dmaAddress() {
        return dmaAddress;
    }

    long bytes() {
        return bytes(order);
    }

    /** The device must not reach the pages any more before they are free. */
    @Override
    public void close() {
        dma.unmap(dmaAddress, bytes());
        pages.free(physical, order);
    }
}
