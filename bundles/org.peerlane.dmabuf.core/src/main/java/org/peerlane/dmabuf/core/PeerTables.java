package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Tables that an exporter has had made for one attachment's device, of memory in a BAR. Kernel
 * counterpart: {@code dma_buf_phys_vec_to_sgt()} (DB-45, DB-46).
 *
 * <p><b>Locks.</b> Everything under the reservation.
 */
final class PeerTables {
    private record Made(SgTable table, DmaDirection direction) {}

    private final BufferAttachment attachment;
    private final List<Made> tables = new ArrayList<>(0);

    PeerTables(BufferAttachment attachment) {
        this.attachment = attachment;
    }

    SgTable map(
            @Nullable PeerProvider provider,
            List<AddressRange<PhysicalAddress>> ranges,
            DmaDirection direction) {
        if (provider == null) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s is in no BAR that peers can be given".formatted(attachment.buffer()));
        }
        if (!attachment.peer2peer()) {
            attachment
                    .services()
                    .report(
                            "CK-52",
                            Severity.WRONG,
                            attachment.buffer().owner().owner(),
                            attachment,
                            0,
                            "%s gives a BAR's addresses to %s, which takes no peer's memory"
                                    .formatted(attachment.buffer(), attachment.device().name()));
        }
        PeerRoute route = route(attachment, provider);
        DmaDevice dma = attachment.device().dma();
        if (dma == null || route.kind() == PeerRoute.Kind.NOT_SUPPORTED) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "no way from %s to BAR %d of %s: %s"
                            .formatted(
                                    attachment.device().name(),
                                    provider.bar(),
                                    provider.owner().slot(),
                                    dma == null ? "it has no DMA addresses" : route.reason()));
        }
        SgTable table = dma.mapPeer(route, ranges, direction);
        tables.add(new Made(table, direction));
        return table;
    }

    /** {@return the way from an attachment's device to a BAR, as it is now (PP-1, PP-4)} */
    static PeerRoute route(BufferAttachment attachment, PeerProvider provider) {
        PcieFunction client = attachment.device().function();
        PcieBus bus = attachment.services().bus.get();
        if (client == null) {
            return PeerRoute.none(attachment.device().name() + " is not on the bus");
        }
        return bus == null
                ? PeerRoute.none("there is no bus")
                : bus.peerRoute(provider.owner(), client);
    }

    /** {@return whether it was made here} Then it is free, whatever its direction. */
    boolean forget(SgTable table) {
        for (Made made : tables) {
            if (isSame(made.table(), table)) {
                free(table, made.direction());
                return true;
            }
        }
        return false;
    }

    void free(SgTable table, DmaDirection direction) {
        for (Made made : tables) {
            if (isSame(made.table(), table)) {
                if (made.direction() != direction) {
                    attachment
                            .services()
                            .report(
                                    "DB-46",
                                    Severity.WRONG,
                                    attachment.buffer().owner().owner(),
                                    attachment,
                                    0,
                                    "freeSgTable of %s as %s, though it was made as %s"
                                            .formatted(attachment, direction, made.direction()));
                }
                tables.remove(made);
                DmaDevice dma = attachment.device().dma();
                if (dma != null) {
                    dma.unmap(table);
                }
                return;
            }
        }
        throw attachment
                .services()
                .broken(
                        "DB-46",
                        attachment.buffer().owner().owner(),
                        attachment.buffer(),
                        "freeSgTable with what was not made for %s or has been freed"
                                .formatted(attachment));
    }

    @SuppressWarnings("ReferenceEquality") // the very table
    private static boolean isSame(SgTable one, SgTable other) {
        return one == other;
    }
}
