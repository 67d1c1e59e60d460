package org.peerlane.shell.pci;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;

/**
 * The physical address map in the form of {@code /proc/iomem}: RAM, the windows of the bridges, and
 * in them the BARs that the bus has placed. Windows are shown where the bridges' registers have
 * them.
 */
final class MemoryMap {
    private record Entry(long first, long last, String name) {
        boolean contains(Entry other) {
            return Long.compareUnsigned(first, other.first) <= 0
                    && Long.compareUnsigned(other.last, last) <= 0;
        }
    }

    /** By rising address, the wider first; of two alike, the one that was added first. */
    private static final Comparator<Entry> ORDER =
            ((Comparator<Entry>) (a, b) -> Long.compareUnsigned(a.first, b.first))
                    .thenComparing((a, b) -> Long.compareUnsigned(b.last, a.last));

    private final List<Entry> entries = new ArrayList<>();

    private MemoryMap() {}

    /** {@return the map, one range a line, what lies inside another below it and indented} */
    static String of(List<MemoryRegion> ram, List<PcieFunction> functions) {
        MemoryMap map = new MemoryMap();
        for (MemoryRegion region : ram) {
            map.add(region.range(), "System RAM (%s)".formatted(region.name()));
        }
        List<ConfigView> configs = functions.stream().map(ConfigView::new).toList();
        configs.forEach(map::windows);
        configs.forEach(map::bars);
        return map.text();
    }

    private void add(AddressRange<PhysicalAddress> range, String name) {
        entries.add(new Entry(range.first().value(), range.last().value(), name));
    }

    private void windows(ConfigView config) {
        if (config.headerType() != ConfigView.BRIDGE) {
            return;
        }
        PcieAddress address = config.function().address();
        String name = "PCI Bus %04x:%02x".formatted(address.segment(), config.u8(0x19));
        window(BridgeWindow.memory(config), name);
        window(BridgeWindow.prefetchable(config), name + " prefetchable");
    }

    private void window(BridgeWindow window, String name) {
        if (window.isOpen()) {
            entries.add(new Entry(window.first(), window.last(), name));
        }
    }

    private void bars(ConfigView config) {
        PcieFunction function = config.function();
        boolean decodes = (config.u16(ConfigView.COMMAND) & 2) != 0;
        String slot = function.slot().isEmpty() ? "" : " (" + function.slot() + ")";
        for (int i = 0; i < config.bars(); i++) {
            AddressRange<PhysicalAddress> range = Bars.range(function, i);
            if (range != null) {
                String off = decodes ? "" : " [disabled]";
                add(range, "%s BAR %d%s%s".formatted(function.address(), i, slot, off));
            }
        }
    }

    private String text() {
        entries.sort(ORDER);
        int digits =
                entries.stream()
                        .mapToInt(e -> Long.toHexString(e.last).length())
                        .reduce(8, Math::max);
        String line = "%0" + digits + "x-%0" + digits + "x : %s";
        Lines out = new Lines();
        Deque<Entry> around = new ArrayDeque<>();
        for (Entry entry : entries) {
            @Nullable Entry outer = around.peek();
            while (outer != null && !outer.contains(entry)) {
                around.pop();
                outer = around.peek();
            }
            out.add("  ".repeat(around.size()));
            out.line(line.formatted(entry.first, entry.last, entry.name));
            around.push(entry);
        }
        return out.toString();
    }
}
