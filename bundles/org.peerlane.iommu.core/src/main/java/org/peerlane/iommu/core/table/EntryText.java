package org.peerlane.iommu.core.table;

/** Entries in words: what one is, where it leads, and its bits by the names of its format. */
final class EntryText {
    private EntryText() {}

    /** {@return an entry of a table of this level in words} */
    static String of(Entries entries, long entry, int level) {
        if (entries.isEmpty(entry)) {
            return "empty";
        }
        boolean leaf = entries.isLeaf(entry, level);
        String flags = flags(entries, entry, leaf);
        if (entries.isReserved(entry, level, leaf)) {
            return "%s, reserved bits are set [%s]".formatted(leaf ? "page" : "table", flags);
        }
        if (!leaf) {
            return "table at 0x%x [%s]".formatted(entry & entries.address, flags);
        }
        int lg2 = entries.leafLg2(entry, level);
        return "page of 0x%x at 0x%x [%s]".formatted(1L << lg2, entries.target(entry, lg2), flags);
    }

    private static String flags(Entries entries, long entry, boolean leaf) {
        StringBuilder text = new StringBuilder();
        switch (entries.format.kind()) {
            case AMD_V1 -> {
                add(text, entry, 61, "IR");
                add(text, entry, 62, "IW");
                add(text, entry, 60, leaf ? "FC" : "");
                add(text, entry, 6, leaf ? "D" : "");
            }
            case VTD_SECOND_STAGE -> {
                add(text, entry, 0, "R");
                add(text, entry, 1, "W");
                add(text, entry, 8, "A");
                add(text, entry, 9, leaf ? "D" : "");
                add(text, entry, 11, leaf ? "SNP" : "");
            }
            case X86_FIRST_STAGE -> {
                add(text, entry, 0, "P");
                add(text, entry, 1, "RW");
                add(text, entry, 2, "US");
                add(text, entry, 5, "A");
                add(text, entry, 6, leaf ? "D" : "");
                add(text, entry, 63, "XD");
            }
        }
        return text.toString();
    }

    private static void add(StringBuilder text, long entry, int bit, String name) {
        if ((entry >>> bit & 1) != 0 && !name.isEmpty()) {
            text.append(text.isEmpty() ? "" : " ").append(name);
        }
    }
}
