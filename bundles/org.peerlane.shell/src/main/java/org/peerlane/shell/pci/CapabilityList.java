package org.peerlane.shell.pci;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The two capability lists of a function, walked so that no content makes the walk endless (PC-21,
 * PC-22).
 */
final class CapabilityList {
    static final int EXPRESS = 0x10;

    /** The walk of the legacy list ends after as many. */
    static final int MOST = 48;

    private static final int STATUS_LIST = 1 << 4;
    private static final int ID_BROKEN = 0xFF;
    private static final int EXTENDED = 0x100;

    /** As many fit, eight bytes each. */
    private static final int MOST_EXTENDED = (ConfigView.BYTES - EXTENDED) / 8;

    private CapabilityList() {}

    /**
     * One item.
     *
     * @param offset where it is
     * @param id which capability
     * @param version of an extended one; else 0
     * @param flaw why the walk ended here and the item does not count; null: it is good
     */
    record Item(int offset, int id, int version, @Nullable String flaw) {}

    /** {@return the items of the legacy list; only the last may have a flaw} */
    static List<Item> legacy(ConfigView config) {
        List<Item> items = new ArrayList<>();
        if ((config.u16(ConfigView.STATUS) & STATUS_LIST) == 0) {
            return items;
        }
        BitSet seen = new BitSet();
        int offset = config.u8(ConfigView.CAPABILITIES) & ~3;
        while (offset != 0) {
            int id = config.u8(offset);
            String flaw =
                    seen.get(offset)
                            ? "<chain looped>"
                            : id == ID_BROKEN
                                    ? "<chain broken>"
                                    : items.size() == MOST ? "<chain too long>" : null;
            items.add(new Item(offset, id, 0, flaw));
            if (flaw != null) {
                break;
            }
            seen.set(offset);
            offset = config.u8(offset + 1) & ~3;
        }
        return items;
    }

    /** {@return the items of the extended list; only the last may have a flaw} */
    static List<Item> extended(ConfigView config) {
        List<Item> items = new ArrayList<>();
        BitSet seen = new BitSet();
        int offset = EXTENDED;
        while (offset >= EXTENDED) {
            long header = config.u32(offset);
            if (header == 0 || header == 0xFFFF_FFFFL) {
                break;
            }
            String flaw =
                    seen.get(offset)
                            ? "<chain looped>"
                            : items.size() == MOST_EXTENDED ? "<chain too long>" : null;
            items.add(new Item(offset, (int) header & 0xFFFF, (int) header >>> 16 & 0xF, flaw));
            if (flaw != null) {
                break;
            }
            seen.set(offset);
            offset = (int) (header >>> 20) & ~3;
        }
        return items;
    }
}
