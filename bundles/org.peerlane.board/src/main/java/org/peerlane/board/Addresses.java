package org.peerlane.board;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.kernel.api.ErrnoException;

/** Looks at what metatype cannot see: whether an address is one, and whether it is free. */
final class Addresses {
    private static final String KEY = "address";

    private final Map<PcieAddress, Entry> taken = new HashMap<>();

    /**
     * Takes the address of a slot.
     *
     * @return what is wrong with it, or null; a missing or mistyped one is metatype's to see
     */
    @Nullable String take(Entry slot) {
        for (Entry.Setting setting : slot.settings()) {
            if (setting.key().equals(KEY) && setting.value() instanceof String text) {
                String wrong = take(slot, text);
                return wrong == null
                        ? null
                        : "%s: %s: %s".formatted(setting.place(), slot.id(), wrong);
            }
        }
        return null;
    }

    private @Nullable String take(Entry slot, String text) {
        try {
            Entry other = taken.putIfAbsent(PcieAddress.parse(text), slot);
            return other == null
                    ? null
                    : "'%s' is \"%s\"; expected an address that is free, %s at %s has it"
                            .formatted(KEY, text, other.id(), other.place());
        } catch (ErrnoException e) {
            return "'%s' is \"%s\"; %s".formatted(KEY, text, e.sentence());
        }
    }

    /** Removes the slots with a wrong address, and reports each. */
    static void refuse(List<Entry> entries, String slotPid, List<String> problems) {
        var addresses = new Addresses();
        entries.removeIf(entry -> {
            String wrong = entry.pid().equals(slotPid) ? addresses.take(entry) : null;
            if (wrong != null) {
                problems.add(wrong);
            }
            return wrong != null;
        });
    }
}
