package org.peerlane.exporter.vfio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.vfio.api.RegionInfo;

/**
 * Reads and writes of BARs and the ROM through the file (VF-26, VF-27): in naturally aligned
 * pieces, around the MSI-X table, and only while the function answers.
 *
 * <p><b>Locks.</b> Takes {@code vfio.memory} for each piece, so that a long copy does not hold up a
 * reset.
 */
final class BarAccess {
    private static final ValueLayout.OfShort SHORT = little(ValueLayout.JAVA_SHORT_UNALIGNED);
    private static final ValueLayout.OfInt INT = little(ValueLayout.JAVA_INT_UNALIGNED);
    private static final ValueLayout.OfLong LONG = little(ValueLayout.JAVA_LONG_UNALIGNED);

    private final VfioPciDevice device;
    private final PcieFunction function;

    BarAccess(VfioPciDevice device) {
        this.device = device;
        function = device.function();
    }

    @SuppressWarnings("unchecked") // the same layout, in another order
    private static <T extends ValueLayout> T little(T layout) {
        return (T) layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    int read(int index, long offset, MemorySegment into) {
        RegionInfo region = check(index, offset, RegionInfo.READ);
        int count = (int) Math.min(into.byteSize(), region.size() - offset);
        int done = 0;
        while (done < count) {
            done += piece(index, offset + done, into, done, count - done, false);
        }
        return count;
    }

    int write(int index, long offset, MemorySegment from) {
        RegionInfo region = check(index, offset, RegionInfo.WRITE);
        int count = (int) Math.min(from.byteSize(), region.size() - offset);
        int done = 0;
        while (done < count) {
            done += piece(index, offset + done, from, done, count - done, true);
        }
        return count;
    }

    private RegionInfo check(int index, long offset, int flag) {
        RegionInfo region = device.required().regions().info(index);
        if ((region.flags() & flag) == 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "region %d of %s cannot be %s"
                            .formatted(
                                    index, device, flag == RegionInfo.READ ? "read" : "written"));
        }
        if (offset >= region.size()) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "offset 0x%x of region %d of %s, which has 0x%x bytes"
                            .formatted(offset, index, device, region.size()));
        }
        return region;
    }

    /** {@return bytes done} */
    private int piece(int index, long at, MemorySegment local, int in, int most, boolean write) {
        device.memory.lock();
        try {
            OpenFunction open = device.required();
            if (!open.isReachable(index)) {
                throw new ErrnoException(
                        Errno.EIO, "region %d of %s is switched off".formatted(index, device));
            }
            int left = (int) (open.regions().nextBorder(index, at, at + most) - at);
            if (open.regions().isMsiXTable(index, at)) {
                if (!write) {
                    local.asSlice(in, left).fill((byte) 0xFF);
                }
                return left;
            }
            int width = width(at, left, open.regions().isMemory(index) ? 8 : 4);
            if (write) {
                function.write(index, at, width, get(local, in, width));
            } else {
                put(local, in, width, open.regions().read(index, at, width));
            }
            return width;
        } finally {
            device.memory.unlock();
        }
    }

    /** {@return the widest aligned access} */
    static int width(long at, int left, int widest) {
        int width = widest;
        while (width > left || (at & width - 1) != 0) {
            width >>= 1;
        }
        return width;
    }

    static long get(MemorySegment from, int at, int width) {
        return switch (width) {
            case 1 -> from.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
            case 2 -> from.get(SHORT, at) & 0xFFFF;
            case 4 -> from.get(INT, at) & 0xFFFF_FFFFL;
            default -> from.get(LONG, at);
        };
    }

    static void put(MemorySegment into, int at, int width, long value) {
        switch (width) {
            case 1 -> into.set(ValueLayout.JAVA_BYTE, at, (byte) value);
            case 2 -> into.set(SHORT, at, (short) value);
            case 4 -> into.set(INT, at, (int) value);
            default -> into.set(LONG, at, value);
        }
    }
}
