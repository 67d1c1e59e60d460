package org.peerlane.tests.fabric;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;

/**
 * Whether a machine can hold the BARs of a board, found without placing anything: if every window
 * is as wide as a power of two, blocks of powers of two leave no holes, so that sums decide. The
 * sums count from the start of the low aperture, and from the highest power of two in the high one.
 */
final class Demand {
    private static final long LOW_BYTES = 0xFEC0_0000L - 0xC000_0000L;
    private static final long HIGH_BYTES = 1L << 45;
    private static final long MIB = 1 << 20;

    private final List<PortConfig> ports;
    private final Map<String, Long> low = new HashMap<>();
    private final Map<String, Long> high = new HashMap<>();

    private Demand(List<PortConfig> ports) {
        this.ports = ports;
    }

    static boolean fits(List<PortConfig> ports, List<SlotConfig> slots, int most) {
        Demand demand = new Demand(ports);
        for (SlotConfig slot : slots) {
            long seed = ((Number) slot.options().get("seed")).longValue();
            for (BarLayout bar : Shape.bars(seed, most)) {
                (bar.wide() && bar.prefetchable() ? demand.high : demand.low)
                        .merge(slot.port(), bar.bytes(), Long::sum);
            }
        }
        return demand.root(demand.low) <= LOW_BYTES && demand.root(demand.high) <= HIGH_BYTES;
    }

    private long root(Map<String, Long> bars) {
        return ports.stream()
                .filter(port -> port.downstreamPorts() == 0)
                .mapToLong(port -> below(port.name(), bars))
                .sum();
    }

    /** {@return the window of a port that something is plugged into} */
    private long below(String port, Map<String, Long> bars) {
        long sum = bars.getOrDefault(port, 0L);
        for (PortConfig one : ports) {
            if (one.downstreamPorts() > 0 && one.at().equals(port)) {
                long inside = 0;
                for (int i = 0; i < one.downstreamPorts(); i++) {
                    inside += below(one.name() + "." + i, bars);
                }
                sum += rounded(inside);
            }
        }
        return rounded(sum);
    }

    private static long rounded(long bytes) {
        return bytes == 0 ? 0 : Math.max(MIB, Long.highestOneBit(bytes * 2 - 1));
    }
}
