package org.peerlane.iommu.core;

import java.util.Arrays;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DomainFlag;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.table.Format;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.iommu.core.table.RadixTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;

/** Makes the tables that the hardware walks. */
final class HardwareTables implements TableFactory {
    private final Execution execution;
    private final PhysicalMemory memory;
    private final boolean stepwise;

    /**
     * @param stepwise whether walks pass a checkpoint at each level, for exploration
     */
    HardwareTables(Execution execution, PhysicalMemory memory, boolean stepwise) {
        this.execution = execution;
        this.stepwise = stepwise;
        this.memory = memory;
    }

    @Override
    public PageTable make(DomainSpec spec, PageTable.Flush flush) {
        if (spec.format() == TableFormat.X86_64) {
            for (DomainFlag flag : spec.flags()) {
                throw new ErrnoException(
                        Errno.EOPNOTSUPP, flag + " with an x86-64 table; it has no such ability");
            }
        }
        return new RadixTable(execution, memory, format(spec), flush, stepwise);
    }

    private static Format format(DomainSpec spec) {
        int bits = spec.inputBits();
        Format format =
                switch (spec.format()) {
                    case AMDV1 -> Format.amdV1(bits == 0 ? 5 : level(bits, 39, 48, 57, 64));
                    case VTD_SECOND_STAGE ->
                            Format.vtdSecondStage(bits == 0 ? 3 : level(bits, 39, 48, 57));
                    case X86_64 ->
                            Format.x86FirstStage(bits == 0 ? 3 : 1 + level(bits, 47, 56), false);
                };
        if (spec.flags().contains(DomainFlag.FORCE_COHERENT)) {
            format = format.withForcedCoherence();
        }
        return spec.flags().contains(DomainFlag.NO_READ_ONLY) ? format.withoutReadOnly() : format;
    }

    /** {@return the top level for a width: 2 for the first one} */
    private static int level(int bits, int... widths) {
        for (int i = 0; i < widths.length; i++) {
            if (bits == widths[i]) {
                return i + 2;
            }
        }
        throw new ErrnoException(
                Errno.EOPNOTSUPP,
                "addresses of %d bits; the hardware has %s"
                        .formatted(bits, Arrays.toString(widths)));
    }
}
