package org.peerlane.iommu.api;

import java.util.List;
import java.util.Optional;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * What the hardware would find for a request, for reports.
 *
 * @param kind of the domain; empty: the requester is in none
 * @param domain its id, or 0
 * @param steps the entries that are read, top table first; none without a table
 * @param physical where the request goes, if it may read or write
 * @param bytes of the page that was found
 * @param readFault why a read is blocked; empty: it is not
 * @param writeFault why a write is blocked; empty: it is not
 */
public record TableWalk(
        Optional<DomainKind> kind,
        int domain,
        List<Step> steps,
        Optional<PhysicalAddress> physical,
        long bytes,
        Optional<FaultReason> readFault,
        Optional<FaultReason> writeFault) {
    /** Copies the list. */
    public TableWalk {
        steps = List.copyOf(steps);
    }

    /**
     * One entry.
     *
     * @param level of its table; leaves of 4 KiB are at 0
     * @param table where the table is
     * @param index which of its entries
     * @param entry as it is in memory
     * @param text the same, decoded
     */
    public record Step(int level, PhysicalAddress table, int index, long entry, String text) {}
}
