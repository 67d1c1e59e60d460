package org.peerlane.iommu.api;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a paging domain shall be like.
 *
 * @param format of its page table
 * @param inputBits how wide an IOVA may be; 0: as wide as the hardware goes
 * @param flags what it shall be able to do besides
 */
public record DomainSpec(TableFormat format, int inputBits, Set<DomainFlag> flags) {
    /** Copies the flags. */
    public DomainSpec {
        flags = flags.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(flags));
    }

    /** {@return as wide as the hardware goes, with no flags} */
    public static DomainSpec of(TableFormat format) {
        return new DomainSpec(format, 0, Set.of());
    }
}
