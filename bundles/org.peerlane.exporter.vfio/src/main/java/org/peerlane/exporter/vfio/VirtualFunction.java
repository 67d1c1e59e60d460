package org.peerlane.exporter.vfio;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What config space of a virtual function does not say: its hardware has neither ids nor BARs nor a
 * memory bit there (VF-31, VF-33); its physical function has them.
 */
final class VirtualFunction {
    private static final int NO_ID = 0xFFFF;
    private static final String SUFFIX = ".vf";
    private static final int EXTENDED = 0x100;
    private static final int SR_IOV = 0x0010;
    private static final int BAR0 = 0x24;
    private static final int MOST = 96;

    private final PcieFunction function;
    private final @Nullable PcieFunction physical;
    private final int capability;

    private VirtualFunction(PcieFunction function, @Nullable PcieFunction physical) {
        this.function = function;
        this.physical = physical;
        capability = physical == null ? 0 : find(physical);
    }

    /**
     * {@return what is known of a virtual function; null: it is none}
     *
     * @param all functions that there are
     */
    static @Nullable VirtualFunction of(List<PcieFunction> all, PcieFunction function) {
        if (!isVirtual(function)) {
            return null;
        }
        String slot = function.slot();
        int end = slot.lastIndexOf(SUFFIX);
        String owner = end < 0 ? "" : slot.substring(0, end);
        return new VirtualFunction(
                function,
                all.stream().filter(one -> one.slot().equals(owner)).findFirst().orElse(null));
    }

    static boolean isVirtual(PcieFunction function) {
        return function.isPresent() && function.readConfig(0, 2) == NO_ID;
    }

    private static int find(PcieFunction function) {
        int at = EXTENDED;
        for (int i = 0; at != 0 && i < MOST; i++) {
            long header = function.readConfig(at, 4);
            if ((header & 0xFFFF) == SR_IOV) {
                return at;
            }
            at = (int) (header >>> 20) & 0xFFC;
        }
        return 0;
    }

    /** {@return device and vendor id, as the first dword of config space has them} */
    long ids() {
        return (long) function.deviceId() << 16 | function.vendorId();
    }

    /** {@return what a BAR reads back after ones: its size, and what it is; 0: there is none} */
    long sizing(int bar) {
        long low = low(bar);
        if (low != 0) {
            return low;
        }
        long below = bar == 0 ? 0 : low(bar - 1);
        return (below & 7) == 4 ? -bytes(bar - 1) >>> 32 : 0;
    }

    private long low(int bar) {
        long bytes = bytes(bar);
        if (bytes == 0 || physical == null || capability == 0) {
            return 0;
        }
        return -bytes & 0xFFFF_FFF0L | physical.readConfig(capability + BAR0 + 4 * bar, 4) & 15;
    }

    private long bytes(int bar) {
        try {
            return function.bar(bar).bytes();
        } catch (ErrnoException _) {
            return 0; // there is none
        }
    }
}
