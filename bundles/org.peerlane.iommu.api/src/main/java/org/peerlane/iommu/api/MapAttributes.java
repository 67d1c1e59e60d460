package org.peerlane.iommu.api;

/** Bits that a mapping may carry. Kernel counterpart: {@code DMA_ATTR_*}. */
public final class MapAttributes {
    /** None. */
    public static final int NONE = 0;

    /** The target is a BAR: no page behind it, no cache to maintain (PP-7, IM-10). */
    public static final int MMIO = 1;

    /** The caller keeps the CPU's caches in order itself. */
    public static final int SKIP_CPU_SYNC = 2;

    private MapAttributes() {}
}
