package org.peerlane.shell.pci;

import java.util.BitSet;
import org.peerlane.bus.api.PcieFunction;

/**
 * Config space of a function as one report sees it: each dword is read once at most, so that the
 * report agrees with itself while the function changes or leaves. All-ones past the end.
 */
final class ConfigView {
    static final int BYTES = 4096;
    static final int COMMAND = 0x04;
    static final int STATUS = 0x06;
    static final int HEADER_TYPE = 0x0E;
    static final int BAR0 = 0x10;
    static final int CAPABILITIES = 0x34;

    static final int NORMAL = 0;
    static final int BRIDGE = 1;

    private final PcieFunction function;
    private final int[] dwords = new int[BYTES / 4];
    private final BitSet known = new BitSet(BYTES / 4);

    ConfigView(PcieFunction function) {
        this.function = function;
    }

    PcieFunction function() {
        return function;
    }

    int u8(int offset) {
        int index = offset >> 2;
        if (index >= dwords.length) {
            return 0xFF;
        }
        if (!known.get(index)) {
            dwords[index] = (int) function.readConfig(index << 2, 4);
            known.set(index);
        }
        return dwords[index] >>> (offset & 3) * 8 & 0xFF;
    }

    int u16(int offset) {
        return u8(offset) | u8(offset + 1) << 8;
    }

    long u32(int offset) {
        return u16(offset) | (long) u16(offset + 2) << 16;
    }

    long u64(int offset) {
        return u32(offset) | u32(offset + 4) << 32;
    }

    /** {@return {@link #NORMAL}, {@link #BRIDGE}, or what else the header says; 0x7f: gone} */
    int headerType() {
        return u8(HEADER_TYPE) & 0x7F;
    }

    /** {@return how many BARs a header of this type has} */
    int bars() {
        return switch (headerType()) {
            case NORMAL -> 6;
            case BRIDGE -> 2;
            default -> 0;
        };
    }
}
