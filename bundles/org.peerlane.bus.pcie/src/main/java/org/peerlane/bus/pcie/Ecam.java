package org.peerlane.bus.pcie;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.pcie.config.ConfigSpace;

/**
 * Config space as memory: 4 KiB per function, 1 MiB per bus, from each host bridge's base on (PC-2,
 * PC-3).
 */
final class Ecam {
    private static final int BUS_SHIFT = 20;
    private static final int FUNCTION_SHIFT = 12;

    private final ConfigCycles config;
    private final List<HostBridge> hosts;

    Ecam(ConfigCycles config, List<HostBridge> hosts) {
        this.config = config;
        this.hosts = hosts;
    }

    /** {@return the host bridge whose config space is there, or null} */
    @Nullable HostBridge at(long physical) {
        for (HostBridge host : hosts) {
            HostBridgeConfig board = host.config();
            long bytes = (long) (board.lastBus() - board.firstBus() + 1) << BUS_SHIFT;
            if (Long.compareUnsigned(physical - board.ecamBase(), bytes) < 0) {
                return host;
            }
        }
        return null;
    }

    long read(HostBridge host, long physical, int bytes) {
        long offset = physical - host.config().ecamBase();
        int register = (int) offset & 0xFFF;
        if (bytes == 8 && (register & 7) == 0) { // two requests (PC-3)
            long low = read(host, physical, 4);
            return low | read(host, physical + 4, 4) << 32;
        }
        return ConfigSpace.takes(register, bytes)
                ? config.read(
                        host.config().segment(), bus(host, offset), number(offset), register, bytes)
                : ConfigSpace.ones(bytes);
    }

    void write(HostBridge host, long physical, int bytes, long value) {
        long offset = physical - host.config().ecamBase();
        int register = (int) offset & 0xFFF;
        if (bytes == 8 && (register & 7) == 0) {
            write(host, physical, 4, value);
            write(host, physical + 4, 4, value >>> 32);
        } else if (ConfigSpace.takes(register, bytes)) {
            config.write(
                    host.config().segment(),
                    bus(host, offset),
                    number(offset),
                    register,
                    bytes,
                    value);
        }
    }

    /** The bus field counts from the first bus of the window. */
    private static int bus(HostBridge host, long offset) {
        return host.config().firstBus() + (int) (offset >>> BUS_SHIFT);
    }

    private static int number(long offset) {
        return (int) (offset >>> FUNCTION_SHIFT) & 0xFF;
    }
}
