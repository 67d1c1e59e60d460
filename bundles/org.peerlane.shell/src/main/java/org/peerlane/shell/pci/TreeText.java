package org.peerlane.shell.pci;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;

/**
 * {@code lspci -t}: who is behind whom, from the bus numbers of the bridges. A bridge whose
 * secondary bus is not above its own bus has nothing behind it, so that the tree has no loops.
 */
final class TreeText {
    /** A bus by segment and number. */
    private record Bus(int segment, int number) implements Comparable<Bus> {
        static Bus of(PcieAddress address) {
            return new Bus(address.segment(), address.bus());
        }

        @Override
        public int compareTo(Bus other) {
            int bySegment = Integer.compare(segment, other.segment);
            return bySegment != 0 ? bySegment : Integer.compare(number, other.number);
        }

        @Override
        public String toString() {
            return "[%04x:%02x]".formatted(segment, number);
        }
    }

    /** A bridge and the buses that hang directly on it. */
    private record Bridge(PcieAddress address, int secondary, int subordinate, List<Bus> buses) {
        boolean leadsTo(Bus bus) {
            return bus.segment() == address.segment()
                    && secondary <= bus.number()
                    && bus.number() <= subordinate;
        }
    }

    private final Lines out = new Lines();
    private final boolean names;
    private final Style style;
    private final Map<PcieAddress, Bridge> bridges = new HashMap<>();
    private final TreeMap<Bus, List<PcieFunction>> buses = new TreeMap<>();
    private final List<Bus> roots = new ArrayList<>();

    private TreeText(List<PcieFunction> functions, LspciOptions options) {
        names = options.verbose() > 0;
        style = options.style();
        for (PcieFunction function : functions) {
            buses.computeIfAbsent(Bus.of(function.address()), b -> new ArrayList<>()).add(function);
            ConfigView config = new ConfigView(function);
            if (config.headerType() == ConfigView.BRIDGE) {
                int secondary = config.u8(0x19);
                boolean leads = secondary > function.address().bus();
                bridges.put(
                        function.address(),
                        new Bridge(
                                function.address(),
                                secondary,
                                leads ? config.u8(0x1A) : -1,
                                new ArrayList<>()));
            }
        }
        for (Bus bus : buses.descendingKeySet()) { // lspci's order
            bridges.values().stream()
                    .filter(b -> b.leadsTo(bus))
                    .min(TreeText::narrower)
                    .map(Bridge::buses)
                    .orElse(roots)
                    .add(bus);
        }
    }

    private static int narrower(Bridge one, Bridge other) {
        int byWidth =
                Integer.compare(
                        one.subordinate - one.secondary, other.subordinate - other.secondary);
        return byWidth != 0 ? byWidth : one.address.compareTo(other.address);
    }

    /** {@return the tree of all functions, or those below each bridge that the filter selects} */
    static String of(List<PcieFunction> functions, LspciOptions options) {
        TreeText tree = new TreeText(functions, options);
        if (options.filter().isSet()) {
            for (PcieFunction function : options.filter().of(functions)) {
                if (tree.bridges.containsKey(function.address())) {
                    PcieAddress at = function.address();
                    tree.function(function, "%04x:%02x:".formatted(at.segment(), at.bus()));
                }
            }
        } else if (!tree.roots.isEmpty()) {
            tree.below(tree.roots, true, "");
        }
        return tree.out.toString();
    }

    /** Writes what hangs on a bridge, or on the machine itself, behind the line so far. */
    private void below(List<Bus> list, boolean root, String line) {
        String here = line + "-";
        if (list.isEmpty()) {
            out.line(here);
        } else if (list.size() == 1) {
            bus(list.getFirst(), here + (root ? list.getFirst() + "-" : ""));
        } else {
            for (int i = 0; i < list.size(); i++) {
                boolean last = i == list.size() - 1;
                bus(list.get(i), here + (last ? "\\-" : "+-") + list.get(i) + "-");
                here = continued(here);
            }
        }
    }

    private void bus(Bus bus, String line) {
        List<PcieFunction> functions = buses.getOrDefault(bus, List.of());
        if (functions.size() == 1) {
            function(functions.getFirst(), line + "--");
            return;
        }
        String here = line;
        for (int i = 0; i < functions.size(); i++) {
            boolean last = i == functions.size() - 1;
            function(functions.get(i), here + (last ? "\\-" : "+-"));
            here = continued(here);
        }
    }

    private void function(PcieFunction function, String line) {
        PcieAddress address = function.address();
        String here = "%s%02x.%x".formatted(line, address.device(), address.function());
        Bridge bridge = bridges.get(address);
        if (bridge != null) {
            int last = Math.max(bridge.secondary, bridge.subordinate);
            String range =
                    bridge.secondary == last
                            ? "-[%02x]-".formatted(bridge.secondary)
                            : "-[%02x-%02x]-".formatted(bridge.secondary, last);
            below(bridge.buses, false, here + range);
        } else if (names) {
            out.line(
                    here + "  " + PciNames.device(function.vendorId(), function.deviceId(), style));
        } else {
            out.line(here);
        }
    }

    /** {@return what stands below a line that has been written: its branches go on} */
    private static String continued(String line) {
        return line.replaceAll("[^+|]", " ").replace('+', '|');
    }
}
