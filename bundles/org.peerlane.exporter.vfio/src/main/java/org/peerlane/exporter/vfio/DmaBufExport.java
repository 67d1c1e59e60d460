package org.peerlane.exporter.vfio;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.kernel.api.Profile;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.VfioFile;

/**
 * Feature DMA_BUF: checks a request, in the order of the table at VF-67, and makes the buffer.
 * <b>Threads.</b> Any.
 */
final class DmaBufExport {
    private static final long PAGE = 4096;

    private final Surroundings surroundings;
    private final VfioPciDevice device;

    DmaBufExport(Surroundings surroundings, VfioPciDevice device) {
        this.surroundings = surroundings;
        this.device = device;
    }

    DmaBuf make(DmaBufRequest request) {
        if (!surroundings.profile.atLeast(Profile.Base.V6_19)) {
            throw new ErrnoException(
                    Errno.ENOTTY, "BARs are not exported before " + Profile.Base.V6_19);
        }
        if (request.ranges().isEmpty() || request.flags() != 0) {
            throw invalid(
                    "%d ranges with flags 0x%x; expected at least 1 and no flags"
                            .formatted(request.ranges().size(), request.flags()));
        }
        int index = request.regionIndex();
        OpenFunction open = device.required();
        if (index < VfioFile.BAR0 || index >= VfioFile.ROM || !open.regions().isThere(index)) {
            throw new ErrnoException(
                    Errno.ENODEV, "region %d of %s is no BAR".formatted(index, device));
        }
        long size = size(request.ranges());
        List<AddressRange<PhysicalAddress>> ranges = ranges(open, index, request.ranges());
        BarBuffer operations = operations(open, index, ranges);
        DmaBuf buffer =
                surroundings.dmabufs.export(
                        new ExportInfo(
                                "vfio-pci",
                                operations,
                                size,
                                request.openFlags() & ExportInfo.O_ACCMODE,
                                null,
                                operations));
        boolean linked = false;
        try {
            surroundings.beforeLinked.reached();
            link(open, buffer);
            linked = true;
        } finally {
            if (!linked) {
                surroundings.dmabufs.put(buffer);
            }
        }
        return buffer;
    }

    private BarBuffer operations(
            OpenFunction open, int index, List<AddressRange<PhysicalAddress>> ranges) {
        var provider = surroundings.bus.peerProvider(device.function(), index);
        return surroundings.profile.has(Profile.Series.REVOKE_V3)
                ? new MappableBarBuffer(surroundings, open.exports(), provider, ranges)
                : new BarBuffer(surroundings, open.exports(), provider, ranges);
    }

    /** It begins as all others are: revoked while memory is off (VF-69). */
    private void link(OpenFunction open, DmaBuf buffer) {
        device.memory.lock();
        try {
            if (!open.isAccessible()) {
                surroundings.dmabufs.revoke(buffer, false);
            }
            if (!open.exports().add(buffer)) {
                throw device.leaving();
            }
        } finally {
            device.memory.unlock();
        }
    }

    private static long size(List<DmaBufRequest.Range> ranges) {
        long sum = 0;
        for (DmaBufRequest.Range range : ranges) {
            if (range.length() == 0
                    || (range.length() & PAGE - 1) != 0
                    || (range.offset() & PAGE - 1) != 0) {
                throw invalid(
                        "a range of 0x%x bytes at 0x%x; expected whole pages"
                                .formatted(range.length(), range.offset()));
            }
            long next = sum + range.length();
            if (Long.compareUnsigned(next, sum) < 0 || next < 0) {
                throw invalid("ranges of more than 2^63 bytes in all");
            }
            sum = next;
        }
        return sum;
    }

    private List<AddressRange<PhysicalAddress>> ranges(
            OpenFunction open, int index, List<DmaBufRequest.Range> wanted) {
        AddressRange<PhysicalAddress> bar = open.regions().bar(index);
        List<AddressRange<PhysicalAddress>> ranges = new ArrayList<>();
        for (DmaBufRequest.Range range : wanted) {
            long first = bar.first().value() + range.offset();
            long end = first + range.length();
            if (Long.compareUnsigned(first, range.offset()) < 0
                    || Long.compareUnsigned(end, first) < 0) {
                throw new ErrnoException(
                        Errno.EOVERFLOW,
                        "0x%x bytes at 0x%x of BAR %d go past the last address"
                                .formatted(range.length(), range.offset(), index));
            }
            if (Long.compareUnsigned(end, bar.first().value() + bar.bytes()) > 0) {
                throw invalid(
                        "0x%x bytes at 0x%x; BAR %d of %s has 0x%x"
                                .formatted(
                                        range.length(),
                                        range.offset(),
                                        index,
                                        device,
                                        bar.bytes()));
            }
            ranges.add(AddressRange.ofLength(new PhysicalAddress(first), range.length()));
        }
        return ranges;
    }

    private static ErrnoException invalid(String what) {
        return new ErrnoException(Errno.EINVAL, what);
    }
}
