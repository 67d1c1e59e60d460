package org.peerlane.iommu.core.table;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Which entries a page table has, how deep it is, and what the hardware lacks: made once per IOMMU
 * or domain, by one of the three factories and the {@code with} methods.
 *
 * @param kind how an entry is laid out
 * @param startTopLevel the level of the first top table; 0 is the level of the smallest leaves
 * @param maxTopLevel the level up to which the table may grow
 * @param signExtended whether the mirrored top half can be walked too
 * @param pageSizes one bit per page size, by its logarithm
 * @param encryption the address bit that says encrypted, or 0
 * @param coherent whether every leaf forces coherence
 * @param noReadOnly whether a mapping must be writable (erratum 772415)
 */
public record Format(
        Kind kind,
        int startTopLevel,
        int maxTopLevel,
        boolean signExtended,
        long pageSizes,
        long encryption,
        boolean coherent,
        boolean noReadOnly) {

    /** How an entry is laid out. */
    public enum Kind {
        /** AMD host page table (PT-1 to PT-8). */
        AMD_V1,
        /** Intel VT-d second stage (PT-10 to PT-15). */
        VTD_SECOND_STAGE,
        /** x86-64: AMD guest page table, VT-d first stage (PT-20 to PT-22). */
        X86_FIRST_STAGE
    }

    private static final int AMD_START = 2;
    private static final int AMD_MAX = 5;
    private static final long SIZES_4K_2M_1G = 1L << 12 | 1L << 21 | 1L << 30;
    private static final long AMD_SIZES = (1L << 52) - (1L << 12) & ~(1L << 39);

    /**
     * AMD's: starts with three levels and grows.
     *
     * @param maxTopLevel the hardware's limit: 2 (39 bits) to 5 (64 bits)
     * @throws ErrnoException {@code EOPNOTSUPP} another one
     */
    public static Format amdV1(int maxTopLevel) {
        check("AMDv1", maxTopLevel, AMD_START, AMD_MAX);
        long sizes = AMD_SIZES & (1L << Math.min(52, 21 + 9 * maxTopLevel)) - 1;
        return new Format(Kind.AMD_V1, AMD_START, maxTopLevel, false, sizes, 0, false, false);
    }

    /**
     * VT-d second stage (PT-10).
     *
     * @param topLevel 2 (39 bits), 3 (48) or 4 (57)
     * @throws ErrnoException {@code EOPNOTSUPP} another one
     */
    public static Format vtdSecondStage(int topLevel) {
        check("VT-d second stage", topLevel, 2, 4);
        return new Format(
                Kind.VTD_SECOND_STAGE, topLevel, topLevel, false, SIZES_4K_2M_1G, 0, false, false);
    }

    /**
     * x86-64 (PT-20, PT-22).
     *
     * @param topLevel 3 (48 bits) or 4 (57)
     * @param signExtended true: VT-d first stage, both halves can be walked; false: AMD v2, the
     *     lower half only
     * @throws ErrnoException {@code EOPNOTSUPP} another level
     */
    public static Format x86FirstStage(int topLevel, boolean signExtended) {
        check("x86-64", topLevel, 3, 4);
        return new Format(
                Kind.X86_FIRST_STAGE,
                topLevel,
                topLevel,
                signExtended,
                SIZES_4K_2M_1G,
                0,
                false,
                false);
    }

    private static void check(String name, int topLevel, int low, int high) {
        if (topLevel < low || topLevel > high) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "%s table with top level %d; expected %d to %d"
                            .formatted(name, topLevel, low, high));
        }
    }

    /**
     * {@return the same without the page sizes that hardware or driver lack}
     *
     * @param allowed one bit per size that stays; 4 KiB must be among them
     * @throws ErrnoException {@code EINVAL} 4 KiB is not
     */
    public Format withPageSizes(long allowed) {
        if ((allowed & 1L << 12) == 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "page sizes 0x%x; expected 0x1000 among them".formatted(allowed));
        }
        return new Format(
                kind,
                startTopLevel,
                maxTopLevel,
                signExtended,
                pageSizes & allowed,
                encryption,
                coherent,
                noReadOnly);
    }

    /**
     * {@return the same with memory encryption: the bit is set in table pointers and in leaves that
     * are not MMIO (PT-2); physical addresses end below it}
     *
     * @param bit 32 to 51
     * @throws ErrnoException {@code EOPNOTSUPP} not AMDv1; {@code EINVAL} another bit
     */
    public Format withEncryptionBit(int bit) {
        if (kind != Kind.AMD_V1) {
            throw new ErrnoException(Errno.EOPNOTSUPP, "encryption bit in a table of " + kind);
        }
        if (bit < 32 || bit > 51) {
            throw new ErrnoException(
                    Errno.EINVAL, "encryption bit %d; expected 32 to 51".formatted(bit));
        }
        return new Format(
                kind,
                startTopLevel,
                maxTopLevel,
                signExtended,
                pageSizes & (2L << bit) - 1,
                1L << bit,
                coherent,
                noReadOnly);
    }

    /**
     * {@return the same with coherence forced in every leaf: FC or SNP}
     *
     * @throws ErrnoException {@code EOPNOTSUPP} x86-64 has no such bit
     */
    public Format withForcedCoherence() {
        if (kind == Kind.X86_FIRST_STAGE) {
            throw new ErrnoException(Errno.EOPNOTSUPP, "forced coherence in a table of " + kind);
        }
        return new Format(
                kind,
                startTopLevel,
                maxTopLevel,
                signExtended,
                pageSizes,
                encryption,
                true,
                noReadOnly);
    }

    /**
     * {@return the same, refusing a mapping without WRITE (PT-13)}
     *
     * @throws ErrnoException {@code EOPNOTSUPP} not VT-d second stage
     */
    public Format withoutReadOnly() {
        if (kind != Kind.VTD_SECOND_STAGE) {
            throw new ErrnoException(Errno.EOPNOTSUPP, "no read-only in a table of " + kind);
        }
        return new Format(
                kind,
                startTopLevel,
                maxTopLevel,
                signExtended,
                pageSizes,
                encryption,
                coherent,
                true);
    }

    /** {@return the bits of an IOVA that may be mapped: of x86-64 the lower half} */
    public int width() {
        return kind == Kind.X86_FIRST_STAGE ? 20 + 9 * maxTopLevel : width(maxTopLevel);
    }

    /** {@return the bits of an IOVA that a table with this top level can index} */
    static int width(int topLevel) {
        return Math.min(64, 21 + 9 * topLevel);
    }

    /**
     * {@return what the device's entry says of a table with this top level: mode of AMDv1 (PT-7),
     * address width of VT-d second stage (PT-10), and of x86-64 0 for 4 levels and 1 for 5}
     */
    public int depthField(int topLevel) {
        return switch (kind) {
            case AMD_V1 -> topLevel + 1;
            case VTD_SECOND_STAGE -> topLevel - 1;
            case X86_FIRST_STAGE -> topLevel - 3;
        };
    }
}
