package org.peerlane.exporter.vfio;

import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.vfio.api.RegionInfo;
import org.peerlane.vfio.api.VfioFile;

/**
 * A function's BARs in processes: nothing at first, filled page by page by touches, emptied when
 * its memory goes, and filled again by touches once it is back (VF-28, VF-29, VF-42).
 *
 * <p><b>Locks.</b> A touch comes with the mmap lock and takes {@code vfio.memory}; a zap comes with
 * {@code vfio.memory}, so that no touch can put back what it takes out.
 */
final class BarMappings implements MappingOperations {
    private static final long PAGE = 4096;

    private final Surroundings surroundings;
    private final VfioPciDevice device;
    private final OpenFunction function;

    /** The device file; a region is at its place in the file. */
    private final Mappable file;

    BarMappings(Surroundings surroundings, VfioPciDevice device, OpenFunction function) {
        this.surroundings = surroundings;
        this.device = device;
        this.function = function;
        file = surroundings.spaces.object("vfio " + device, MappableKind.FRAMES, this);
    }

    /** See {@link VfioFile#mmap}. */
    CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        int index = (int) (offset >>> VfioFile.INDEX_SHIFT);
        long in = offset - VfioFile.offset(index);
        if ((flags & AddressSpace.MAP_SHARED) == 0) {
            throw refused("is mapped privately; expected a shared mapping");
        }
        if (offset < 0 || index > 5) {
            throw refused("has no BAR at 0x%x that could be mapped".formatted(offset));
        }
        RegionInfo region = function.regions().info(index);
        if ((region.flags() & RegionInfo.MMAP) == 0) {
            throw refused("cannot have its BAR %d mapped".formatted(index));
        }
        long size = (region.size() + PAGE - 1) & -PAGE;
        if (bytes <= 0 || bytes > size || in > size - bytes) {
            throw refused(
                    "is mapped from 0x%x on, 0x%x bytes; BAR %d has 0x%x"
                            .formatted(in, bytes, index, size));
        }
        return space.map(address, bytes, protection, flags, file, offset);
    }

    private ErrnoException refused(String what) {
        return new ErrnoException(Errno.EINVAL, device + " " + what);
    }

    @Override
    public FaultResult fault(Fault fault) {
        device.memory.lock();
        try {
            if (!function.isAccessible()) {
                return FaultResult.BUS_ERROR;
            }
            int index = (int) (fault.offset() >>> VfioFile.INDEX_SHIFT);
            AddressRange<PhysicalAddress> bar = function.regions().bar(index);
            long in = fault.offset() - VfioFile.offset(index);
            surroundings.beforeInserted.reached();
            fault.insert(fault.address(), bar.first().value() + in, PAGE, true);
            return FaultResult.DONE;
        } finally {
            device.memory.unlock();
        }
    }

    /** [memory] No process reaches the BARs when this returns. */
    void zap() {
        file.unmapRange(0, Long.MAX_VALUE);
    }

    /** [memory] The function is closed; every touch is a bus error from here on. */
    void close() {
        file.retire();
    }
}
