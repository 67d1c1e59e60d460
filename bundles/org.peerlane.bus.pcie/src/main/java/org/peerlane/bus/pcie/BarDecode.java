package org.peerlane.bus.pcie;

import java.util.Arrays;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.FunctionLayout;

/**
 * Where the BARs of a function decode, by what stands in config space (PC-15 to PC-17).
 *
 * <p><b>Half-written.</b> While MSE is set, a write of one half of a 64-bit BAR stops its decode
 * until the other half is written or MSE was cleared: the state in between is no address.
 *
 * <p><b>Threads.</b> None of its own; whoever holds the function's lock.
 */
final class BarDecode {
    private static final long LAST_32 = 0xFFFF_FFFFL;
    private static final int LOW = 1;
    private static final int HIGH = 2;

    private final ConfigSpace config;
    private final FunctionLayout layout;

    /** Per BAR: which half alone has been written since both agreed; 0: none. */
    private final int[] half = new int[Type0.BARS];

    BarDecode(ConfigSpace config, FunctionLayout layout) {
        this.config = config;
        this.layout = layout;
    }

    /** Software has written config space there. */
    void written(int offset) {
        if ((config.get(Type0.COMMAND, 2) & Type0.COMMAND_MSE) == 0) {
            reset();
            return;
        }
        for (BarLayout bar : layout.bars()) {
            int dword = (offset - Type0.BAR0) / 4 - bar.index();
            if (offset >= Type0.BAR0 && bar.wide() && (dword == 0 || dword == 1)) {
                int mine = dword == 0 ? LOW : HIGH;
                int other = LOW + HIGH - mine;
                half[bar.index()] = half[bar.index()] == other ? 0 : mine;
            }
        }
    }

    void reset() {
        Arrays.fill(half, 0);
    }

    /**
     * {@return per BAR its base address, or 0: it does not decode}
     *
     * @param memory whether memory decode is on and the function awake
     */
    long[] bases(boolean memory) {
        long[] bases = new long[Type0.BARS];
        if (memory) {
            for (BarLayout bar : layout.bars()) {
                if (half[bar.index()] == 0) {
                    bases[bar.index()] = base(bar);
                }
            }
        }
        return bases;
    }

    private long base(BarLayout bar) {
        long register = config.get(Type0.BAR0 + bar.index() * 4, bar.wide() ? 8 : 4);
        long base = register & -bar.bytes();
        long last = base + bar.bytes() - 1;
        long top = bar.wide() ? -1 : LAST_32;
        // aligned, so it cannot wrap; one that ends at the top is the all-ones of sizing
        return Long.compareUnsigned(last, top) >= 0 ? 0 : base;
    }
}
