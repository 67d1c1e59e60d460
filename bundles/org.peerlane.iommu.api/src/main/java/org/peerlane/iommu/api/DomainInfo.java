package org.peerlane.iommu.api;

import java.util.List;
import java.util.Optional;
import org.peerlane.bus.api.PcieAddress;

/**
 * A domain, for reports.
 *
 * @param id names it in IOTLBs; 0: it has no table
 * @param kind what it does with a request
 * @param format of its table; empty: it has none
 * @param levels of its table, now
 * @param mappings how many leaves there are
 * @param bytes how much they map
 * @param attached who is in it
 */
public record DomainInfo(
        int id,
        DomainKind kind,
        Optional<TableFormat> format,
        int levels,
        long mappings,
        long bytes,
        List<Attachment> attached) {
    /** Copies the list. */
    public DomainInfo {
        attached = List.copyOf(attached);
    }

    /**
     * A function, or one PASID of it.
     *
     * @param pasid or {@link Iommu#NO_PASID}
     */
    public record Attachment(PcieAddress function, int pasid) {}
}
