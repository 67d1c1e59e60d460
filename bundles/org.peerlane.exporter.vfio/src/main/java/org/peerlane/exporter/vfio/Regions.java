package org.peerlane.exporter.vfio;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.vfio.api.RegionInfo;
import org.peerlane.vfio.api.VfioFile;

/**
 * What regions a function has (VF-20 to VF-25). Found once, when it is opened.
 *
 * <p><b>Threads.</b> Any: nothing changes.
 */
final class Regions {
    private static final int BARS = 6;
    private static final int BAR0 = 0x10;
    private static final long IS_PORTS = 1;
    private static final int MSI_X_TABLE = 4;
    private static final int MSI_X_ENTRY_BYTES = 16;

    /** By index; null: no such memory BAR. */
    private final @Nullable AddressRange<PhysicalAddress>[] bars;

    private final RegionInfo[] infos = new RegionInfo[VfioFile.REGIONS];

    /** By index; null: processes cannot map it. */
    private final @Nullable BarMemory[] mappable = new BarMemory[BARS];

    private final int tableBar;
    private final long tableOffset;
    private final long tableBytes;
    private final PcieFunction function;

    /** Null: there is no ROM. */
    private final @Nullable Rom rom;

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of a generic type
    Regions(Surroundings surroundings, PcieFunction function, VirtualConfig config) {
        this.function = function;
        bars = new AddressRange[BARS + 1];
        for (int index = 0; index <= BARS; index++) {
            bars[index] = portBytes(index) == 0 ? memory(index) : null;
        }
        for (int index = 0; index < BARS; index++) {
            AddressRange<PhysicalAddress> bar = bars[index];
            String name = function.slot() + " BAR " + index;
            mappable[index] =
                    bar == null
                            ? null
                            : BarMemory.of(surroundings.bus, surroundings.spaces, name, bar);
        }
        int msiX = config.msiX();
        if (msiX == 0) {
            tableBar = -1;
            tableOffset = 0;
            tableBytes = 0;
        } else {
            long where = function.readConfig(msiX + MSI_X_TABLE, 4);
            tableBar = (int) where & 7;
            tableOffset = where & ~7L;
            tableBytes = MSI_X_ENTRY_BYTES * ((function.readConfig(msiX + 2, 2) & 0x7FF) + 1);
        }
        for (int index = 0; index < BARS; index++) {
            infos[index] = bar0to5(index);
        }
        AddressRange<PhysicalAddress> image = bars[RomLayout.INDEX];
        rom = image == null ? null : new Rom(function, image.bytes());
        infos[VfioFile.ROM] =
                image == null || rom == null || !rom.hasImage()
                        ? region(VfioFile.ROM, 0, 0)
                        : region(VfioFile.ROM, image.bytes(), RegionInfo.READ);
        infos[VfioFile.CONFIG] =
                region(VfioFile.CONFIG, config.size(), RegionInfo.READ | RegionInfo.WRITE);
        infos[VfioFile.VGA] = region(VfioFile.VGA, 0, 0);
    }

    private RegionInfo bar0to5(int index) {
        long ports = portBytes(index);
        if (ports != 0) {
            return region(index, ports, RegionInfo.READ | RegionInfo.WRITE);
        }
        AddressRange<PhysicalAddress> bar = bars[index];
        if (bar == null) {
            return region(index, 0, 0);
        }
        int flags = RegionInfo.READ | RegionInfo.WRITE;
        flags |= mappable[index] != null ? RegionInfo.MMAP : 0;
        boolean table = index == tableBar;
        return new RegionInfo(
                index,
                table ? flags | RegionInfo.CAPS : flags,
                bar.bytes(),
                VfioFile.offset(index),
                table);
    }

    private static RegionInfo region(int index, long bytes, int flags) {
        return new RegionInfo(index, flags, bytes, VfioFile.offset(index), false);
    }

    private @Nullable AddressRange<PhysicalAddress> memory(int index) {
        try {
            return function.bar(index);
        } catch (ErrnoException _) {
            return null; // there is none
        }
    }

    private long portBytes(int index) {
        if (index == RomLayout.INDEX
                || (function.readConfig(BAR0 + 4 * index, 4) & IS_PORTS) == 0) {
            return 0;
        }
        try {
            return function.ports(index).count();
        } catch (ErrnoException _) {
            return 0; // the upper half of a BAR
        }
    }

    /** The function is closed. */
    void close() {
        for (BarMemory one : mappable) {
            if (one != null) {
                one.close();
            }
        }
    }

    /**
     * {@return what there is}
     *
     * @throws ErrnoException {@code EINVAL} no such region, or VGA
     */
    RegionInfo info(int index) {
        if (index < 0 || index >= VfioFile.REGIONS || index == VfioFile.VGA) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s has no region %d; expected 0 to %d"
                            .formatted(function.slot(), index, VfioFile.CONFIG));
        }
        return infos[index];
    }

    /** {@return a register of a BAR, or what the ROM has} */
    long read(int index, long at, int width) {
        return index == VfioFile.ROM && rom != null
                ? rom.read(at, width)
                : function.read(index, at, width);
    }

    /** {@return whether a BAR is there, of whatever kind} */
    boolean isThere(int bar) {
        return infos[bar].size() != 0;
    }

    /** {@return whether a BAR is memory} */
    boolean isMemory(int bar) {
        return bars[bar] != null;
    }

    /** {@return whether any BAR is in I/O space} */
    boolean hasPorts() {
        for (int index = 0; index < BARS; index++) {
            if (isThere(index) && !isMemory(index)) {
                return true;
            }
        }
        return false;
    }

    /**
     * {@return where a memory BAR is}
     *
     * @throws ErrnoException {@code EINVAL} it is not there, or not memory
     */
    AddressRange<PhysicalAddress> bar(int index) {
        AddressRange<PhysicalAddress> bar = bars[index];
        if (bar == null) {
            throw new ErrnoException(
                    Errno.EINVAL, "BAR %d of %s is no memory".formatted(index, function.slot()));
        }
        return bar;
    }

    /** {@return whether a byte is of the MSI-X table, which user space does not reach (VF-26)} */
    boolean isMsiXTable(int bar, long offset) {
        return bar == tableBar && offset >= tableOffset && offset - tableOffset < tableBytes;
    }

    /**
     * {@return the next byte from {@code offset} on that is of the table, or not of it any more}
     */
    long nextBorder(int bar, long offset, long end) {
        if (bar != tableBar) {
            return end;
        }
        if (offset < tableOffset) {
            return Math.min(end, tableOffset);
        }
        return offset < tableOffset + tableBytes ? Math.min(end, tableOffset + tableBytes) : end;
    }
}
