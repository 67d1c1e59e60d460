package org.peerlane.bus.pcie.config;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.RomLayout;

/**
 * The BARs of a header, or of virtual functions, and the expansion ROM: what software reads when it
 * sizes them, and where they decode (PC-12 to PC-18, PC-37).
 *
 * <p><b>Half-written.</b> While memory decode is on, a write of one half of a 64-bit BAR stops its
 * decode until the other half is written or decode was off: the state in between is no address.
 */
public final class BarRegisters {
    /** How many BARs a function has at most. */
    public static final int BARS = 6;

    /** The expansion ROM, where BARs are numbered. */
    public static final int ROM = RomLayout.INDEX;

    private static final int ROM_ENABLE = 1;
    private static final int TYPE_BITS = 0xF;
    private static final int IO_TYPE_BITS = 3;
    private static final long LAST_32 = 0xFFFF_FFFFL;
    private static final int LOW = 1;
    private static final int HIGH = 2;

    private final ConfigSpace config;
    private final int at;
    private final int romAt;
    private final @Nullable BarLayout[] layouts = new BarLayout[BARS];

    /** Per BAR and ROM its size now; 0: there is none. */
    private final long[] bytes = new long[BARS + 1];

    /** Per BAR: which half alone has been written since both agreed; 0: none. */
    private final int[] half = new int[BARS];

    /**
     * Defines the registers.
     *
     * @param at where BAR 0 is
     * @param romAt where the ROM's register is; not read without ROM
     */
    BarRegisters(
            ConfigSpace config, int at, List<BarLayout> bars, int romAt, @Nullable RomLayout rom) {
        this.config = config;
        this.at = at;
        this.romAt = romAt;
        for (BarLayout bar : bars) {
            int i = bar.index();
            layouts[i] = bar;
            bytes[i] = bar.bytes();
            int type = bar.io() ? 1 : (bar.wide() ? 1 << 2 : 0) | (bar.prefetchable() ? 1 << 3 : 0);
            config.define(at + i * 4, bar.wide() ? 8 : 4, type, -bar.bytes(), 0);
        }
        if (rom != null) {
            bytes[ROM] = rom.bytes();
            config.define(romAt, 4, 0, -rom.bytes() | ROM_ENABLE, 0);
        }
    }

    /** {@return the size of a BAR or the ROM now; 0: there is none} */
    public long bytes(int index) {
        return bytes[index];
    }

    /**
     * Software has written config space there.
     *
     * @param dword an aligned offset of config space
     * @param memory whether memory decode is on
     * @return whether a BAR was hit
     */
    boolean written(int dword, boolean memory) {
        if (!memory) {
            Arrays.fill(half, 0);
        }
        int i = (dword - at) / 4;
        if (dword < at || i >= BARS) {
            return dword == romAt && bytes[ROM] != 0;
        }
        if (memory && wide(i)) {
            wrote(i, LOW);
        } else if (memory && i > 0 && wide(i - 1)) {
            wrote(i - 1, HIGH);
        }
        return layouts[i] != null || i > 0 && wide(i - 1);
    }

    private boolean wide(int index) {
        BarLayout bar = layouts[index];
        return bar != null && bar.wide();
    }

    private void wrote(int index, int mine) {
        half[index] = half[index] == LOW + HIGH - mine ? 0 : mine;
    }

    /** After the bits were reset: sizes as made, nothing half-written. */
    void reset() {
        Arrays.fill(half, 0);
        for (BarLayout bar : layouts) {
            if (bar != null && bytes[bar.index()] != bar.bytes()) {
                resize(bar.index(), bar.bytes());
            }
        }
    }

    /** Gives a memory BAR another size; address bits below it become hard zero (PC-37). */
    void resize(int index, long size) {
        int width = wide(index) ? 8 : 4;
        int register = at + index * 4;
        bytes[index] = size;
        config.writable(register, width, ~(long) TYPE_BITS, -size);
        config.set(register, width, config.get(register, width) & (-size | TYPE_BITS));
    }

    /**
     * Says where everything decodes (PC-17).
     *
     * @param into gets per BAR, and at {@link #ROM} for the ROM, the base address; 0: it does not
     *     decode
     * @param memory whether memory decode is on and the function awake
     * @param io whether I/O decode is on and the function awake
     */
    public void bases(long[] into, boolean memory, boolean io) {
        for (int i = 0; i < BARS; i++) {
            BarLayout bar = layouts[i];
            into[i] = bar != null && (bar.io() ? io : memory && half[i] == 0) ? base(bar) : 0;
        }
        if (into.length > ROM) {
            into[ROM] = memory ? romBase() : 0;
        }
    }

    /** {@return whether the ROM's own enable bit is set} */
    public boolean romEnabled() {
        return bytes[ROM] != 0 && (config.dword(romAt) & ROM_ENABLE) != 0;
    }

    private long romBase() {
        return romEnabled() ? placed(config.get(romAt, 4), bytes[ROM], LAST_32) : 0;
    }

    private long base(BarLayout bar) {
        long register = config.get(at + bar.index() * 4, bar.wide() ? 8 : 4);
        long address = register & ~(long) (bar.io() ? IO_TYPE_BITS : TYPE_BITS);
        return placed(address, bytes[bar.index()], bar.wide() ? -1 : LAST_32);
    }

    /** Aligned, so it cannot wrap; one that ends at the top is the all-ones of sizing. */
    private static long placed(long address, long size, long top) {
        long base = address & -size;
        long last = base + size - 1;
        return Long.compareUnsigned(last, top) >= 0 ? 0 : base;
    }
}
