package org.peerlane.exporter.vfio;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.kernel.api.CountedFile;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.EventFd;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.vfio.api.DeviceInfo;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.Feature;
import org.peerlane.vfio.api.HotResetEntry;
import org.peerlane.vfio.api.IrqInfo;
import org.peerlane.vfio.api.IrqSet;
import org.peerlane.vfio.api.RegionInfo;
import org.peerlane.vfio.api.VfioDevice;
import org.peerlane.vfio.api.VfioFile;

/** One file on a function. All that it does is in the classes that it asks. */
final class DeviceFile extends CountedFile implements VfioFile {
    private final Surroundings surroundings;
    private final VfioPciDevice device;
    private final ConfigSpace config;
    private final BarAccess bars;

    DeviceFile(Surroundings surroundings, VfioPciDevice device) {
        super("vfio file of " + device);
        this.surroundings = surroundings;
        this.device = device;
        config = new ConfigSpace(device);
        bars = new BarAccess(device);
    }

    @Override
    protected void released() {
        device.closed();
    }

    @Override
    public String fileType() {
        return "vfio";
    }

    @Override
    public VfioDevice device() {
        return device;
    }

    @Override
    public DeviceInfo info() {
        boolean reset = device.required().canReset();
        return new DeviceInfo(DeviceInfo.PCI | (reset ? DeviceInfo.RESET : 0), REGIONS, IRQS);
    }

    @Override
    public RegionInfo regionInfo(int index) {
        return device.required().regions().info(index);
    }

    @Override
    public int pread(MemorySegment into, long offset) {
        int index = index(offset, into);
        if (into.byteSize() == 0) {
            return 0;
        }
        long in = offset - VfioFile.offset(index);
        return index == CONFIG ? config.read(in, into) : bars.read(index, in, into);
    }

    @Override
    public int pwrite(MemorySegment from, long offset) {
        int index = index(offset, from);
        if (from.byteSize() == 0) {
            return 0;
        }
        long in = offset - VfioFile.offset(index);
        return index == CONFIG ? config.write(in, from) : bars.write(index, in, from);
    }

    private int index(long offset, MemorySegment local) {
        long index = offset >>> INDEX_SHIFT;
        if (local.byteSize() != 0 && index >= REGIONS) {
            throw new ErrnoException(
                    Errno.EINVAL, "there is no region at 0x%x of %s".formatted(offset, device));
        }
        return (int) Math.min(index, REGIONS - 1);
    }

    @Override
    public CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        return device.required().mappings().mmap(space, address, bytes, protection, flags, offset);
    }

    @Override
    public void probeFeature(int flags) {
        if ((flags & ~(Feature.MASK | Feature.GET | Feature.SET | Feature.PROBE)) != 0) {
            throw bad(flags, "has unknown bits");
        }
        boolean get = (flags & Feature.GET) != 0;
        boolean set = (flags & Feature.SET) != 0;
        boolean probe = (flags & Feature.PROBE) != 0;
        if (get && set && !probe) {
            throw bad(flags, "asks for GET and SET at once");
        }
        if (!get && !set && !probe) {
            throw bad(flags, "asks for neither GET, SET nor PROBE");
        }
        boolean isGet =
                switch (flags & Feature.MASK) {
                    case Feature.DMA_BUF -> known(flags, Profile.Base.V6_19);
                    case Feature.DMA_BUF_REVOKE -> !known(flags, Profile.Series.REVOKE_V3);
                    case Feature.LOW_POWER_ENTRY, Feature.LOW_POWER_EXIT -> false;
                    default -> throw unknown(flags);
                };
        if (isGet ? set : get) {
            throw bad(flags, "has " + (isGet ? "GET" : "SET") + " only");
        }
    }

    private boolean known(int flags, Profile.Base since) {
        if (!surroundings.profile.atLeast(since)) {
            throw unknown(flags);
        }
        return true;
    }

    private boolean known(int flags, Profile.Series series) {
        if (!surroundings.profile.has(series)) {
            throw unknown(flags);
        }
        return true;
    }

    private ErrnoException unknown(int flags) {
        return new ErrnoException(
                Errno.ENOTTY,
                "%s has no feature %d in %s"
                        .formatted(device, flags & Feature.MASK, surroundings.profile));
    }

    private static ErrnoException bad(int flags, String what) {
        return new ErrnoException(
                Errno.EINVAL,
                "feature %d with flags 0x%x %s".formatted(flags & Feature.MASK, flags, what));
    }

    @Override
    public DmaBuf dmaBuf(DmaBufRequest request) {
        return surroundings.dmabufs.handOver(new DmaBufExport(surroundings, device).make(request));
    }

    @Override
    public int dmaBuf(DmaBufRequest request, FileTable files) {
        return surroundings.dmabufs.fdOrPut(
                files, new DmaBufExport(surroundings, device).make(request), request.openFlags());
    }

    @Override
    public void revoke(OpenFile buffer) {
        known(Feature.DMA_BUF_REVOKE, Profile.Series.REVOKE_V3);
        if (!(buffer instanceof DmaBuf ours)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "a file of kind %s; expected a dmabuf".formatted(buffer.fileType()));
        }
        OpenFunction open = device.required();
        device.memory.lock();
        try {
            if (!open.exports().contains(ours)) {
                throw new ErrnoException(Errno.ENODEV, "%s is not of %s".formatted(ours, device));
            }
            if (ours.revokeState() == RevokeState.REVOKED_FOR_GOOD) {
                throw new ErrnoException(Errno.EBADFD, ours + " is revoked for good");
            }
            surroundings.dmabufs.revoke(ours, true);
        } finally {
            device.memory.unlock();
        }
    }

    @Override
    public IrqInfo irqInfo(int index) {
        return device.required().interrupts().info(index);
    }

    @Override
    public int setIrqs(IrqSet set) {
        return device.required().interrupts().set(set);
    }

    @Override
    public void ioEventFd(long offset, int bytes, long data, @Nullable EventFd event) {
        device.required().ioEventFds().set(offset, bytes, data, event);
    }

    @Override
    public void reset() {
        device.required().reset();
    }

    @Override
    public List<HotResetEntry> hotResetInfo() {
        return new HotReset(device).info();
    }

    @Override
    public void hotReset(List<VfioFile> owned) {
        new HotReset(device).run(owned);
    }

    @Override
    public void enterLowPower() {
        device.required().enterLowPower();
    }

    @Override
    public void exitLowPower() {
        device.required().exitLowPower();
    }

    @Override
    public String toString() {
        return "vfio file of " + device;
    }
}
