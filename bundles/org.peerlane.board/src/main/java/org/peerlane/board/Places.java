package org.peerlane.board;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Looks at what metatype cannot see: whether each slot, root port and switch says where it is,
 * whether there is such a place, and whether it is free.
 */
final class Places {
    private static final String BUS = "org.peerlane.bus.pcie";
    static final String SLOT = BUS + ".slot";
    static final String PORT = BUS + ".port";
    static final String SWITCH = BUS + ".switch";
    static final String HOST_BRIDGE = BUS + ".hostbridge";

    private static final String ADDRESS = "address";
    private static final String BELOW = "port";

    private final Map<Object, Entry> taken = new HashMap<>();

    /** Ports that something may be plugged into. */
    private final TreeSet<String> ports = new TreeSet<>();

    private Places(List<Entry> entries) {
        for (Entry entry : entries) {
            if (entry.name() != null && entry.pid().equals(PORT)) {
                ports.add(entry.name());
            } else if (entry.name() != null && entry.pid().equals(SWITCH)) {
                long count = entry.value("ports") instanceof Long given ? given : 2;
                for (int i = 0; i < Math.min(count, 32); i++) {
                    ports.add(entry.name() + "." + i);
                }
            }
        }
    }

    /** Removes the entries with a wrong place, and reports each. */
    static void refuse(List<Entry> entries, List<String> problems) {
        var places = new Places(entries);
        entries.removeIf(entry -> {
            String wrong =
                    switch (entry.pid()) {
                        case SLOT, PORT, SWITCH -> places.take(entry);
                        default -> null;
                    };
            if (wrong != null) {
                problems.add(wrong);
            }
            return wrong != null;
        });
    }

    /** What is wrong, or null; a missing or mistyped key is metatype's to see. */
    private @Nullable String take(Entry entry) {
        Entry.Setting address = entry.setting(ADDRESS);
        Entry.Setting port = entry.setting(BELOW);
        if (entry.pid().equals(SLOT) && (address == null) == (port == null)) {
            return "%s: %s has %s; expected one of '%s' and '%s'"
                    .formatted(
                            entry.place(),
                            entry.id(),
                            address == null ? "no place" : "two places",
                            ADDRESS,
                            BELOW);
        }
        if (address != null && address.value() instanceof String text) {
            return said(address, entry, takeAddress(entry, text));
        }
        if (port != null && port.value() instanceof String text) {
            return said(port, entry, takePort(entry, text));
        }
        return null;
    }

    private static @Nullable String said(
            Entry.Setting setting, Entry entry, @Nullable String wrong) {
        return wrong == null
                ? null
                : "%s: %s: '%s' is \"%s\"; %s"
                        .formatted(
                                setting.place(), entry.id(), setting.key(), setting.value(), wrong);
    }

    private @Nullable String takeAddress(Entry entry, String text) {
        try {
            Entry other = taken.putIfAbsent(PcieAddress.parse(text), entry);
            return other == null
                    ? null
                    : "expected an address that is free, %s at %s has it"
                            .formatted(other.id(), other.place());
        } catch (ErrnoException e) {
            return e.sentence();
        }
    }

    private @Nullable String takePort(Entry entry, String text) {
        if (!ports.contains(text)) {
            return ports.isEmpty()
                    ? "the board has no ports"
                    : "expected one of %s%s".formatted(ports, Nearest.to(text, ports));
        }
        Object function = entry.value("function");
        Entry other = taken.putIfAbsent(text + "/" + (function == null ? 0 : function), entry);
        return other == null
                ? null
                : "expected a port that is free, %s at %s is below it"
                        .formatted(other.id(), other.place());
    }
}
