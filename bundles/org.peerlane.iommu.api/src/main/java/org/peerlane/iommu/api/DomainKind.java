package org.peerlane.iommu.api;

/** What a domain does with a request (IM-3). */
public enum DomainKind {
    /** A page table decides. */
    PAGING,
    /** The address on the bus is the physical address; there is no table. */
    IDENTITY,
    /** Every request faults. */
    BLOCKED
}
