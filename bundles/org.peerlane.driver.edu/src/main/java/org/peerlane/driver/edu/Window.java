package org.peerlane.driver.edu;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Pages that an edu device reaches. It has {@link #DMA_BITS} address bits, as in QEMU; a device
 * configured with more has no register that says so.
 */
final class Window implements AutoCloseable {
    static final int DMA_BITS = 28;

    private static final long REACH = 1L << DMA_BITS;

    private final PageAllocator pages;
    private final long physical;
    private final int order;

    private Window(PageAllocator pages, long physical, int order) {
        this.pages = pages;
        this.physical = physical;
        this.order = order;
    }

    /**
     * Takes one run; smaller than asked for if there is none so large.
     *
     * @throws ErrnoException {@code ENOMEM} not even one page that the device reaches is free
     */
    static Window take(PageAllocator pages, int wanted) {
        for (int order = wanted; ; order--) {
            long at;
            try {
                at = pages.allocate(order);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOMEM || order == 0) {
                    throw e;
                }
                continue;
            }
            Window window = new Window(pages, at, order);
            if (at >= 0 && at + window.bytes() <= REACH) {
                return window;
            }
            window.close();
            if (order == 0) {
                throw new ErrnoException(
                        Errno.ENOMEM,
                        "no free page below 0x%x, which is as far as edu's DMA reaches; got 0x%x"
                                .formatted(REACH, at));
            }
        }
    }

    /** {@return the order whose run holds so many bytes, the largest one at most} */
    static int orderFor(long bytes) {
        int order = 0;
        while (order < PageAllocator.MAX_ORDER && PhysicalMemory.PAGE_BYTES << order < bytes) {
            order++;
        }
        return order;
    }

    long physical() {
        return physical;
    }

    long bytes() {
        return PhysicalMemory.PAGE_BYTES << order;
    }

    @Override
    public void close() {
        pages.free(physical, order);
    }
}
