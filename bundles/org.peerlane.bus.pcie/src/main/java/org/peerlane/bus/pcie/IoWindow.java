package org.peerlane.bus.pcie;

import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Ports of I/O space that BARs and the windows of bridges below are taken from: of a host bridge as
 * many as it has, of a bridge whole 4 KiB, as many as needed (PC-42). A bridge's window grows at
 * its end and closes when nothing is in it any more.
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
final class IoWindow {
    private static final long GRAIN = 0x1000;

    /** Windows that open leave room behind them to grow, as long as there is. */
    private static final long[] SPACINGS = {0x4000, 0x2000, GRAIN};

    private final @Nullable IoWindow above;
    private final @Nullable Port bridge;

    /** The highest port that it can lead to. */
    private final long most;

    /** First to last of what is taken. */
    private final TreeMap<Long, Long> taken = new TreeMap<>();

    private long first;
    private long last;

    /** A host bridge's. */
    IoWindow(HostBridgeConfig host) {
        above = null;
        bridge = null;
        first = host.ioFirst();
        last = host.ioLast();
        most = last;
    }

    /** A bridge's, closed. */
    IoWindow(IoWindow above, Port bridge) {
        this.above = above;
        this.bridge = bridge;
        first = 0;
        last = -1;
        most =
                switch (bridge.ioBits()) {
                    case 0 -> -1;
                    case 16 -> Math.min(above.most, 0xFFFF);
                    default -> above.most;
                };
    }

    /**
     * {@return the lowest free ports, after growing if it must}
     *
     * @param count how many, and their alignment: a power of two
     */
    OptionalLong allocate(long count) {
        return allocate(count, count, most);
    }

    private OptionalLong allocate(long count, long align, long limit) {
        OptionalLong base = fit(count, align, limit);
        while (base.isEmpty() && grow(count, align, limit)) {
            base = fit(count, align, limit);
        }
        base.ifPresent(b -> taken.put(b, b + count - 1));
        return base;
    }

    private OptionalLong fit(long count, long align, long limit) {
        if (last < first) {
            return OptionalLong.empty();
        }
        long base = align(first, align);
        for (Map.Entry<Long, Long> run : taken.entrySet()) {
            if (run.getKey() > base + count - 1) {
                break;
            }
            base = Math.max(base, align(run.getValue() + 1, align));
        }
        return base + count - 1 > Math.min(last, limit)
                ? OptionalLong.empty()
                : OptionalLong.of(base);
    }

    private boolean grow(long count, long align, long limit) {
        if (above == null) {
            return false;
        }
        if (last >= first) {
            return last < limit && above.widen(this);
        }
        long whole = align(count, GRAIN);
        for (long spacing : SPACINGS) {
            OptionalLong base = above.allocate(whole, Math.max(align, spacing), limit);
            if (base.isPresent()) {
                set(base.getAsLong(), base.getAsLong() + whole - 1);
                return true;
            }
        }
        return false;
    }

    /** Makes one below wider by 4 KiB at its end, if nothing is in the way. */
    private boolean widen(IoWindow child) {
        long end = child.last + GRAIN;
        Map.Entry<Long, Long> next = taken.higherEntry(child.first);
        if (next != null && next.getKey() <= end) {
            return false;
        }
        if (end > last && (above == null || !above.widen(this))) {
            return false;
        }
        taken.put(child.first, end);
        child.set(child.first, end);
        return true;
    }

    /** Gives ports back. */
    void free(long base) {
        if (taken.remove(base) != null && taken.isEmpty() && above != null) {
            long was = first;
            set(0, -1);
            above.free(was);
        }
    }

    private void set(long from, long to) {
        first = from;
        last = to;
        if (bridge != null) {
            program(bridge, from, to);
        }
    }

    /**
     * As Linux does: closed while the halves disagree. A bridge that leads nowhere decodes none.
     */
    private static void program(Port bridge, long from, long to) {
        boolean open = to >= from;
        bridge.writeConfig(Bridge.IO_BASE_HIGH, 4, 0x0000_FFFF);
        bridge.writeConfig(Bridge.IO_BASE, 2, open ? to & 0xF000 | from >>> 8 & 0xF0 : 0x00F0);
        bridge.writeConfig(Bridge.IO_BASE_HIGH, 4, open ? to & 0xFFFF_0000L | from >>> 16 : 0);
        long others = bridge.readConfig(BusFunction.COMMAND, 2) & ~BusFunction.COMMAND_IO;
        bridge.writeConfig(BusFunction.COMMAND, 2, others | (open ? BusFunction.COMMAND_IO : 0));
    }

    private static long align(long port, long to) {
        return port + (to - 1) & -to;
    }
}
