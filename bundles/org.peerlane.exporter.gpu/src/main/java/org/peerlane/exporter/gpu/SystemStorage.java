package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Memory in RAM: {@link Placement#GTT} while it is mapped for the card, else {@link
 * Placement#SYSTEM}.
 *
 * <p><b>Locks.</b> {@link #bind} and {@link #unbind} under the buffer's reservation.
 */
final class SystemStorage implements Storage {
    /**
     * What all storage that is mapped for a card may have together.
     *
     * @param limit bytes
     * @param used bytes
     */
    record Aperture(long limit, AtomicLong used) {
        boolean take(long bytes) {
            long now = used.get();
            while (now + bytes <= limit) {
                if (used.compareAndSet(now, now + bytes)) {
                    return true;
                }
                now = used.get();
            }
            return false;
        }
    }

    private final SystemPages pages;
    private final long bytes;
    private final DmaDevice dma;
    private final Aperture aperture;

    /** Null: not mapped for the card. */
    private volatile @Nullable SgTable table;

    SystemStorage(SystemPages pages, long bytes, DmaDevice dma, Aperture aperture) {
        this.pages = pages;
        this.bytes = bytes;
        this.dma = dma;
        this.aperture = aperture;
    }

    SystemPages pages() {
        return pages;
    }

    /**
     * Makes it addressable by the card.
     *
     * @throws ErrnoException {@code ENOSPC} the aperture is full; {@code ENOMEM}
     */
    void bind() {
        if (table != null) {
            return;
        }
        if (!aperture.take(bytes)) {
            throw new ErrnoException(
                    Errno.ENOSPC,
                    "0x%x bytes more for the card; 0x%x of 0x%x are in use"
                            .formatted(bytes, aperture.used().get(), aperture.limit()));
        }
        boolean mapped = false;
        try {
            table = dma.map(pages.ranges(), DmaDirection.BIDIRECTIONAL, MapAttributes.NONE);
            mapped = true;
        } finally {
            if (!mapped) {
                aperture.used().addAndGet(-bytes);
            }
        }
    }

    /** The card does not address it any more, and has not for a while. */
    void unbind() {
        SgTable mapped = table;
        if (mapped != null) {
            table = null;
            dma.unmap(mapped);
            aperture.used().addAndGet(-bytes);
        }
    }

    @Override
    public Placement placement() {
        return table == null ? Placement.SYSTEM : Placement.GTT;
    }

    @Override
    public boolean isVisible() {
        return true;
    }

    @Override
    public List<Run> runs() {
        SgTable mapped = table;
        return mapped == null ? List.of() : runs(mapped);
    }

    /** {@return a table's entries as the engine addresses them} */
    static List<Run> runs(SgTable table) {
        List<Run> runs = new ArrayList<>(table.size());
        for (int i = 0; i < table.size(); i++) {
            runs.add(new Run(GpuRegisters.BUS, table.address(i), table.length(i)));
        }
        return runs;
    }

    @Override
    public List<AddressRange<PhysicalAddress>> physical() {
        return pages.ranges();
    }

    @Override
    public void free() {
        unbind();
        pages.put();
    }
}
