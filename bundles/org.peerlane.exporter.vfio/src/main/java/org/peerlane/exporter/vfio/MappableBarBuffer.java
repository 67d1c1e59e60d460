package org.peerlane.exporter.vfio;

import java.util.List;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappableKind;

/**
 * Slices of a BAR as a buffer that processes can map too (RK-23, RK-24; series {@code revoke-v3}).
 *
 * <p>A touch looks at the buffer's state under its reservation, and the core zaps with the state
 * set, so no touch puts back what a revoke has taken out. Who cannot have the reservation tries
 * again.
 */
final class MappableBarBuffer extends BarBuffer implements DmaBufOperations.Mmap {
    private static final long PAGE = 4096;

    private final Surroundings surroundings;

    MappableBarBuffer(
            Surroundings surroundings,
            Exports exports,
            PeerProvider provider,
            List<AddressRange<PhysicalAddress>> ranges) {
        super(surroundings, exports, provider, ranges);
        this.surroundings = surroundings;
    }

    @Override
    public MappableKind kind(DmaBuf buffer) {
        return MappableKind.FRAMES;
    }

    @Override
    public void mmap(DmaBuf buffer, CpuMapping mapping) {
        if (!mapping.isShared()) {
            throw new ErrnoException(
                    Errno.EINVAL, buffer + " is mapped privately; expected a shared mapping");
        }
    }

    @Override
    public FaultResult fault(DmaBuf buffer, Fault fault) {
        surroundings.beforeInserted.reached();
        fault.insert(fault.address(), at(fault.offset()), PAGE, true);
        return FaultResult.DONE;
    }

    /** {@return the physical address of a byte of the buffer} */
    private long at(long offset) {
        long left = offset;
        for (AddressRange<PhysicalAddress> range : ranges) {
            if (left < range.bytes()) {
                return range.first().value() + left;
            }
            left -= range.bytes();
        }
        throw new ErrnoException(Errno.EINVAL, "offset 0x%x is past the end".formatted(offset));
    }
}
