package org.peerlane.exporter.gpu;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;

/**
 * A card's buffer as a DMA-BUF (GX-6 to GX-9). Who reaches the BAR gets the VRAM; for who does not,
 * the buffer goes to RAM, and stays there as long as he is attached.
 *
 * <p><b>Life.</b> That of the DMA-BUF. <b>Threads.</b> Any.
 */
final class SharedBuffer
        implements DmaBufOperations,
                DmaBufOperations.Pinning,
                DmaBufOperations.CpuAccess,
                DmaBufOperations.Mmap {
    private final Surroundings surroundings;
    private final OwnBuffer buffer;
    private final Card card;

    /** What processes have mapped it as; null: they have not. */
    private volatile @Nullable Mappable object;

    /** Pages that importers' tables name; other tables are of the VRAM (DY-15). [held] */
    private final Map<SgTable, SystemPages> mapped = new HashMap<>();

    SharedBuffer(Surroundings surroundings, OwnBuffer buffer) {
        this.surroundings = surroundings;
        this.buffer = buffer;
        card = buffer.card;
    }

    // ---- devices

    /** Who has no way to the BAR is somebody who takes no peer's memory (GX-6, PP-11). */
    @Override
    public void attach(DmaBuf shared, Attachment attachment) {
        if (attachment.peer2peer()) {
            PeerRoute route = route(attachment);
            if (route.kind() == PeerRoute.Kind.NOT_SUPPORTED) {
                attachment.exporterPrivate(route.reason());
                attachment.clearPeer2Peer();
            }
        }
    }

    private PeerRoute route(Attachment attachment) {
        PcieFunction client = attachment.device().function();
        return client == null
                ? PeerRoute.none("it is not on the bus")
                : surroundings.bus.peerRoute(card.function(), client);
    }

    /** {@return why a device gets no VRAM now; null: it does} */
    private @Nullable String why(Attachment attachment) {
        if (!attachment.peer2peer()) {
            Object reason = attachment.exporterPrivate();
            return reason instanceof String route
                    ? "no way for %s to the VRAM: %s".formatted(attachment.device().name(), route)
                    : attachment.device().name() + " takes no peer's memory";
        }
        PeerRoute route = route(attachment);
        return route.kind() == PeerRoute.Kind.NOT_SUPPORTED
                ? "no way for %s to the VRAM any more: %s"
                        .formatted(attachment.device().name(), route.reason())
                : null;
    }

    @Override
    public SgTable map(Attachment attachment, DmaDirection direction) {
        buffer.requireAlive();
        if (!buffer.isPinned()) {
            place(attachment);
        }
        buffer.touched();
        return switch (buffer.storage()) {
            case VramStorage vram -> vram(attachment, vram, direction);
            case SystemStorage system -> pages(attachment, system.pages(), direction);
        };
    }

    /** Puts it where the device reaches it (GX-8, GX-20). */
    private void place(Attachment attachment) {
        String why = why(attachment);
        Storage storage = buffer.storage();
        if (storage instanceof SystemStorage system) {
            card.mover().bind(system, buffer);
        } else if (why != null) {
            toGtt(why);
        } else if (!storage.isVisible()) {
            card.bringIntoReach(buffer);
        }
    }

    private void toGtt(String why) {
        card.mover().move(buffer, Placement.GTT, Mover.Effort.EVICT);
        buffer.displaced(why);
    }

    private SgTable vram(Attachment attachment, VramStorage vram, DmaDirection direction) {
        if (!card.isUp()) {
            throw new ErrnoException(Errno.ENODEV, card.name() + " is being reset");
        }
        String why = why(attachment);
        if (why != null) { // pinned there (PP-12), or the way has just gone
            throw buffer.isPinned()
                    ? new ErrnoException(
                            Errno.EINVAL, "%s is pinned in VRAM, and %s".formatted(buffer, why))
                    : new ErrnoException(Errno.ENODEV, why);
        }
        SgTable table =
                surroundings.dmabufs.mapPeer(
                        attachment, card.provider(), vram.physical(), direction);
        buffer.addPeer();
        return table;
    }

    private SgTable pages(Attachment attachment, SystemPages pages, DmaDirection direction) {
        DmaDevice dma = attachment.device().dma();
        SgTable table;
        try {
            table =
                    dma == null
                            ? SgTable.ofPhysical(pages.ranges(), pages)
                            : dma.map(pages.ranges(), direction, MapAttributes.NONE);
        } catch (ErrnoException e) {
            throw new ErrnoException(
                    Errno.EBUSY,
                    "%s cannot be mapped for %s: %s"
                            .formatted(buffer, attachment.device().name(), e.getMessage()),
                    e);
        }
        pages.get();
        mapped.put(table, pages);
        return table;
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
        SystemPages pages = mapped.remove(table);
        if (pages == null) {
            surroundings.dmabufs.freeSgTable(attachment, table, direction);
            buffer.removePeer();
            return;
        }
        DmaDevice dma = attachment.device().dma();
        if (dma != null) {
            dma.unmap(table);
        }
        pages.put();
    }

    /** VRAM only if all who are attached reach it, and then behind the BAR (GX-7). */
    @Override
    public void pin(Attachment attachment) {
        buffer.requireAlive();
        if (buffer.isPinned()) {
            if (buffer.placement() == Placement.VRAM && why(attachment) != null) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "%s is pinned in VRAM, and %s".formatted(buffer, why(attachment)));
            }
            buffer.pin();
            return;
        }
        String why = whyNotAll(attachment);
        if (why != null || !buffer.domains().contains(Placement.VRAM)) {
            pinInRam(why);
        } else if (buffer.storage() instanceof VramStorage vram && !vram.isVisible()) {
            card.bringIntoReach(buffer);
        }
        if (buffer.storage() instanceof SystemStorage system) {
            card.mover().bind(system, buffer);
        }
        buffer.pin();
    }

    private @Nullable String whyNotAll(Attachment attachment) {
        String own = why(attachment);
        if (own != null) {
            return own;
        }
        for (Attachment other : attachment.buffer().attachments()) {
            String why = why(other);
            if (why != null) {
                return why;
            }
        }
        return null;
    }

    private void pinInRam(@Nullable String why) {
        if (!buffer.domains().contains(Placement.GTT)) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s may lie in VRAM only, and %s".formatted(buffer, why));
        }
        if (buffer.placement() == Placement.VRAM) {
            toGtt(why == null ? "it is pinned" : why);
        }
    }

    @Override
    public void unpin(Attachment attachment) {
        buffer.unpin();
    }

    // ---- the CPU

    /** For reading it is better in RAM, if that can be had (GX-9). */
    @Override
    public void beginCpuAccess(DmaBuf shared, DmaDirection direction) {
        if (direction == DmaDirection.TO_DEVICE) {
            return;
        }
        buffer.reservation()
                .whileHeld(_ -> {
                    if (buffer.placement() == Placement.VRAM
                            && !buffer.isPinned()
                            && !buffer.isDead()
                            && buffer.domains().contains(Placement.GTT)) {
                        try {
                            toGtt("the CPU reads it");
                        } catch (ErrnoException e) {
                            // it is read where it is
                        }
                    }
                });
    }

    @Override
    public void endCpuAccess(DmaBuf shared, DmaDirection direction) {}

    @Override
    public MappableKind kind(DmaBuf shared) {
        return MappableKind.FRAMES;
    }

    @Override
    public void mmap(DmaBuf shared, CpuMapping mapping) {
        if (!mapping.isShared()) {
            throw new ErrnoException(
                    Errno.EINVAL, buffer + " is mapped privately; expected a shared mapping");
        }
        Mappable its = mapping.object();
        if (its != null) {
            object = its;
            buffer.view().add(its);
        }
    }

    @Override
    public FaultResult fault(DmaBuf shared, Fault fault) {
        return buffer.view().fault(fault);
    }

    // ---- its end

    @Override
    public void release(DmaBuf shared) {
        Mappable its = object;
        if (its != null) {
            buffer.view().remove(its);
        }
        card.exports().ended(buffer, shared);
    }
}
