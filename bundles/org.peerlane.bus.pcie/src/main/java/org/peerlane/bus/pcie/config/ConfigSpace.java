package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.ResetKind;
import org.peerlane.registers.Access;
import org.peerlane.registers.Field;
import org.peerlane.registers.Register;

/**
 * The 4096 bytes of one function's config space, each bit read-only, writable, or cleared by
 * writing 1 (PC-6), and lost or kept by a reset (PC-61, PC-64). Knows nothing of what they mean.
 *
 * <p><b>Threads.</b> None of its own; whoever holds the function's lock. <b>Cost.</b> No
 * allocation; an access inside one dword is one shift and mask.
 */
public final class ConfigSpace {
    /** Bytes of a PCI Express function. */
    public static final int BYTES = 4096;

    /** Bytes of a conventional function. */
    public static final int CONVENTIONAL_BYTES = 256;

    private static final int DWORDS = BYTES / 4;

    private final int[] value = new int[DWORDS];
    private final int[] reset = new int[DWORDS];
    private final int[] writable = new int[DWORDS];
    private final int[] clearable = new int[DWORDS];

    /** Kept by all but power on and the way back from D3hot. */
    private final int[] sticky = new int[DWORDS];

    /** Kept by the resets of one function, which leave its link alone. */
    private final int[] link = new int[DWORDS];

    private final int[] defined = new int[DWORDS];

    /** {@return whether an access is one that config space takes: inside one dword (PC-3)} */
    public static boolean takes(int offset, int bytes) {
        return (bytes == 1 || bytes == 2 || bytes == 4)
                && offset >= 0
                && offset < BYTES
                && (offset & 3) + bytes <= 4;
    }

    /** {@return all-ones of a width: what an absent function answers} */
    public static long ones(int bytes) {
        return bytes >= 8 ? -1 : (1L << bytes * 8) - 1;
    }

    /**
     * Defines a register of a map.
     *
     * @param at where the map starts
     * @throws IllegalArgumentException a byte of it is defined already, or past the end
     */
    public void define(int at, Register register) {
        long write = 0;
        long clear = 0;
        long keep = 0;
        for (Field field : register.fields()) {
            Access access = field.access();
            if (access == Access.WO) {
                continue; // reads 0: nothing to store; who defined it sees the write
            }
            write |= access.writable() ? field.mask() : 0;
            clear |= access.clearable() ? field.mask() : 0;
            keep |= access.sticky() ? field.mask() : 0;
        }
        int offset = at + register.offset();
        define(offset, register.bytes(), register.reset(), write, clear);
        put(sticky, offset, register.bytes(), keep);
    }

    /** Defines bytes: their reset value and which of their bits software changes, and how. */
    public void define(int offset, int bytes, long resetValue, long writeMask, long clearMask) {
        if ((writeMask & clearMask) != 0) {
            throw new IllegalArgumentException(
                    "config 0x%x: a bit is both writable and cleared by 1".formatted(offset));
        }
        if (offset < 0 || offset + bytes > BYTES || fetch(defined, offset, bytes) != 0) {
            throw new IllegalArgumentException(
                    "config 0x%x: %d bytes are taken or past the end".formatted(offset, bytes));
        }
        put(defined, offset, bytes, -1);
        put(value, offset, bytes, resetValue);
        put(reset, offset, bytes, resetValue);
        put(writable, offset, bytes, writeMask);
        put(clearable, offset, bytes, clearMask);
    }

    /** Defines bytes that software only reads. */
    public void define(int offset, int bytes, long resetValue) {
        define(offset, bytes, resetValue, 0, 0);
    }

    /** Gives bits another reset value, and this value now: what the hardware is made with. */
    public void preset(int offset, int bytes, long mask, long bits) {
        put(reset, offset, bytes, fetch(reset, offset, bytes) & ~mask | bits & mask);
        put(value, offset, bytes, fetch(value, offset, bytes) & ~mask | bits & mask);
    }

    /** Says which of the bits in {@code mask} software may replace. */
    public void writable(int offset, int bytes, long mask, long which) {
        put(writable, offset, bytes, fetch(writable, offset, bytes) & ~mask | which & mask);
    }

    /** Says that the bits stay over a reset of the function alone: they are the link's (PC-61). */
    public void keepWithLink(int offset, int bytes, long mask) {
        put(link, offset, bytes, fetch(link, offset, bytes) | mask);
    }

    /**
     * {@return what stands there}
     *
     * @param bytes 1 to 8
     */
    public long get(int offset, int bytes) {
        return fetch(value, offset, bytes);
    }

    /** {@return the dword there} For aligned offsets; the cheapest read. */
    public int dword(int offset) {
        return value[offset >> 2];
    }

    /** A change by the hardware: the masks do not apply. */
    public void set(int offset, int bytes, long all) {
        put(value, offset, bytes, all);
    }

    /**
     * A write by software: {@code v' = ((v & ~wm) | (x & wm)) & ~(x & w1c)} in the bytes hit.
     *
     * @param bytes 1, 2 or 4, inside one dword
     */
    public void write(int offset, int bytes, long written) {
        int shift = (offset & 3) * 8;
        int i = offset >> 2;
        int lanes = (int) (ones(bytes) << shift);
        int x = (int) (written << shift) & lanes;
        int wm = writable[i] & lanes;
        value[i] = (value[i] & ~wm | x & wm) & ~(x & clearable[i]);
    }

    /** Everything as it was defined, but for what this reset keeps. */
    public void reset(ResetKind kind) {
        boolean keepSticky = kind == ResetKind.HOT || kind == ResetKind.FLR;
        boolean keepLink = kind == ResetKind.FLR || kind == ResetKind.POWER;
        for (int i = 0; i < DWORDS; i++) {
            int kept = (keepSticky ? sticky[i] : 0) | (keepLink ? link[i] : 0);
            value[i] = value[i] & kept | reset[i] & ~kept;
        }
    }

    /** {@return which bits software replaces} For tests and for saving a function's state. */
    public long writable(int offset, int bytes) {
        return fetch(writable, offset, bytes);
    }

    /** {@return which bits software clears by 1} */
    public long clearable(int offset, int bytes) {
        return fetch(clearable, offset, bytes);
    }

    /** {@return which bits are sticky} */
    public long sticky(int offset, int bytes) {
        return fetch(sticky, offset, bytes);
    }

    /** {@return which bits are the link's} */
    public long link(int offset, int bytes) {
        return fetch(link, offset, bytes);
    }

    /** {@return the values after power on} */
    public long resetValue(int offset, int bytes) {
        return fetch(reset, offset, bytes);
    }

    private static long fetch(int[] dwords, int offset, int bytes) {
        int shift = (offset & 3) * 8;
        int i = offset >> 2;
        if (shift + bytes * 8 <= 32) {
            return (dwords[i] & 0xFFFF_FFFFL) >>> shift & ones(bytes);
        }
        int low = 4 - (offset & 3);
        return fetch(dwords, offset, low) | fetch(dwords, offset + low, bytes - low) << low * 8;
    }

    private static void put(int[] dwords, int offset, int bytes, long all) {
        int shift = (offset & 3) * 8;
        int i = offset >> 2;
        if (shift + bytes * 8 <= 32) {
            int lanes = (int) (ones(bytes) << shift);
            dwords[i] = dwords[i] & ~lanes | (int) (all << shift) & lanes;
            return;
        }
        int low = 4 - (offset & 3);
        put(dwords, offset, low, all);
        put(dwords, offset + low, bytes - low, all >>> low * 8);
    }
}
