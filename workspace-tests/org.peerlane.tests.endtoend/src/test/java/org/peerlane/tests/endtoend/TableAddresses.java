package org.peerlane.tests.endtoend;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code iommu:walk} prints, without saying where the tables happen to be: each table has a
 * name by the order in which it comes up, and so has the pointer to it in an entry. Two walks are
 * alike if they go the same way; the pages they end at count as they are.
 */
final class TableAddresses {
    private static final Pattern TABLE = Pattern.compile("(table (?:at )?)0x([0-9a-f]+)");
    private static final Pattern ENTRY = Pattern.compile("entry 0x([0-9a-f]{16})");
    private static final long FRAME = 0x000F_FFFF_FFFF_F000L;

    private TableAddresses() {}

    static String named(String text) {
        Map<Long, String> names = new HashMap<>();
        Matcher table = TABLE.matcher(text);
        while (table.find()) {
            long address = Long.parseUnsignedLong(table.group(2), 16);
            names.putIfAbsent(address, "<table " + names.size() + ">");
        }
        String tables =
                TABLE.matcher(text)
                        .replaceAll(m ->
                                m.group(1) + names.get(Long.parseUnsignedLong(m.group(2), 16)));
        return ENTRY.matcher(tables).replaceAll(m -> entry(m.group(), m.group(1), names));
    }

    private static String entry(String whole, String digits, Map<Long, String> names) {
        long value = Long.parseUnsignedLong(digits, 16);
        String name = names.get(value & FRAME);
        return name == null ? whole : "entry %s + 0x%x".formatted(name, value & ~FRAME);
    }
}
