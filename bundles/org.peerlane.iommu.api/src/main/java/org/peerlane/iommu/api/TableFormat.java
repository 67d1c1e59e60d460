package org.peerlane.iommu.api;

/** The page-table formats of real IOMMUs. */
public enum TableFormat {
    /** AMD's host table: pages of any power of two (PT-1 to PT-8). */
    AMDV1,
    /** Intel VT-d second stage: 4 KiB, 2 MiB and 1 GiB (PT-10 to PT-15). */
    VTD_SECOND_STAGE,
    /** The processor's own: AMD v2 and VT-d first stage (PT-20 to PT-22). */
    X86_64
}
