package org.peerlane.gpu.api;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a buffer is asked for with.
 *
 * @param bytes how many; rounded up to pages
 * @param domains where it may lie: {@link Placement#VRAM}, {@link Placement#GTT} or both. It starts
 *     in VRAM, if allowed and there is room. Under pressure it may go further than allowed, to
 *     {@link Placement#SYSTEM}, until it is used
 * @param cpuVisible whether it lies, while it is in VRAM, where the CPU and peers reach it
 */
public record GpuAllocation(long bytes, Set<Placement> domains, boolean cpuVisible) {
    /** {@return VRAM rather than RAM, behind the BAR} */
    public static GpuAllocation of(long bytes) {
        return new GpuAllocation(bytes, EnumSet.of(Placement.VRAM, Placement.GTT), true);
    }

    /** Copies the domains. */
    public GpuAllocation {
        domains = Set.copyOf(domains);
    }
}
