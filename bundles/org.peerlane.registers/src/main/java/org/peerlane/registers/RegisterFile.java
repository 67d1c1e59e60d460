package org.peerlane.registers;

import java.lang.reflect.Array;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The bits of a register map, as software and the device see them.
 *
 * <p><b>Software</b> comes in by {@link #read} and {@link #write}, with any width at any byte: each
 * byte is treated alone, {@code v' = ((v & ~wm) | (x & wm)) & ~(x & w1c)} (PC-6), so a part of a
 * register, or two registers at once, need no code of the device's. <b>The device</b> comes in by
 * {@link #get} and {@link #set}, which know no access rights.
 *
 * <p><b>Threads.</b> None of its own: whoever owns it locks. <b>Cost.</b> No allocation and no
 * search per access; one array element per 4 bytes of the window.
 *
 * @param <E> the map
 */
@SuppressWarnings("EnumOrdinal") // indexes arrays of this object only, made from the same map
public final class RegisterFile<E extends Enum<E> & Register> {
    private static final int DWORD = 4;

    private final E[] registers;

    /** By dword of the window: whose it is. */
    private final @Nullable E[] owner;

    /** By dword: the bits, and which of them software may see, replace and clear. */
    private final int[] value;

    private final int[] readable;
    private final int[] writable;
    private final int[] clearable;

    /** By register: the bits that exist, and the first dword. */
    private final long[] real;

    private final int[] first;

    /**
     * Makes a file in its reset state.
     *
     * @param map the registers
     * @param windowBytes how far the map may reach
     * @throws IllegalArgumentException the map is wrong: registers that overlap or leave the
     *     window, a bit with no field or with two, a field outside its register, two fields of one
     *     name, a reset value with reserved bits; the message names the register
     */
    public RegisterFile(Class<E> map, int windowBytes) {
        registers = map.getEnumConstants();
        int dwords = windowBytes / DWORD;
        @SuppressWarnings("unchecked") // holds elements of the map only, and never leaves
        @Nullable E[] noOwners = (E[]) Array.newInstance(map, dwords);
        owner = noOwners;
        value = new int[dwords];
        readable = new int[dwords];
        writable = new int[dwords];
        clearable = new int[dwords];
        real = new long[registers.length];
        first = new int[registers.length];
        for (E register : registers) {
            RegisterCheck.check(register, windowBytes);
            place(register);
        }
        reset();
    }

    private void place(E register) {
        int at = register.offset() / DWORD;
        first[register.ordinal()] = at;
        for (int i = at; i < at + register.bytes() / DWORD; i++) {
            E other = owner[i];
            if (other != null) {
                throw new IllegalArgumentException(
                        "registers %s and %s overlap at 0x%x"
                                .formatted(other.name(), register.name(), i * DWORD));
            }
            owner[i] = register;
        }
        for (Field field : register.fields()) {
            long mask = field.mask();
            Access access = field.access();
            if (access.readable()) {
                add(readable, at, register, mask);
            }
            if (access.writable()) {
                add(writable, at, register, mask);
            }
            if (access.clearable()) {
                add(clearable, at, register, mask);
            }
            if (access != Access.RSVD) {
                real[register.ordinal()] |= mask;
            }
        }
    }

    private void add(int[] masks, int at, E register, long mask) {
        masks[at] |= (int) mask;
        if (register.bytes() == 2 * DWORD) {
            masks[at + 1] |= (int) (mask >>> 32);
        }
    }

    /** Puts every register to its reset value. */
    public void reset() {
        for (E register : registers) {
            store(register, register.reset());
        }
    }

    /**
     * {@return the register with the byte at {@code offset}, or null: nobody}
     *
     * @param offset any
     */
    public @Nullable E at(long offset) {
        return offset >= 0 && offset < (long) owner.length * DWORD
                ? owner[(int) (offset / DWORD)]
                : null;
    }

    /**
     * Software reads.
     *
     * @param offset any
     * @param width 1, 2, 4 or 8 bytes
     * @return the value, zero-extended; 0 where no register is (PC-20)
     */
    public long read(long offset, int width) {
        checkWidth(width);
        long result = 0;
        for (int done = 0; done < width; ) {
            int shift = (int) (offset + done & 3);
            int bytes = Math.min(DWORD - shift, width - done);
            if (at(offset + done) != null) {
                int i = (int) ((offset + done) / DWORD);
                long part = (value[i] & readable[i]) >>> shift * 8 & ones(bytes);
                result |= part << done * 8;
            }
            done += bytes;
        }
        return result;
    }

    /**
     * Software writes.
     *
     * @param offset any
     * @param width 1, 2, 4 or 8 bytes
     * @param written only the low {@code width} bytes count
     * @return the register hit, or null: nobody. A write that reaches over two registers changes
     *     both and answers the lower; {@link #at} names the other
     */
    public @Nullable E write(long offset, int width, long written) {
        checkWidth(width);
        @Nullable E hit = null;
        for (int done = 0; done < width; ) {
            int shift = (int) (offset + done & 3);
            int bytes = Math.min(DWORD - shift, width - done);
            E register = at(offset + done);
            if (register != null) {
                int i = (int) ((offset + done) / DWORD);
                int lanes = (int) (ones(bytes) << shift * 8);
                int x = (int) (written >>> done * 8 << shift * 8);
                int wm = writable[i] & lanes;
                int w1c = clearable[i] & lanes;
                value[i] = (value[i] & ~wm | x & wm) & ~(x & w1c);
                hit = hit == null ? register : hit;
            }
            done += bytes;
        }
        return hit;
    }

    /** {@return all bits of a register, write-only ones too} */
    public long get(E register) {
        int i = first[register.ordinal()];
        long low = value[i] & 0xFFFF_FFFFL;
        return register.bytes() == DWORD ? low : low | (long) value[i + 1] << 32;
    }

    /** {@return one field of a register} */
    public long get(E register, Field field) {
        return field.get(get(register));
    }

    /**
     * The device sets a register.
     *
     * @throws IllegalArgumentException a bit that is reserved or not there
     */
    public void set(E register, long bits) {
        if ((bits & ~real[register.ordinal()]) != 0) {
            throw new IllegalArgumentException(
                    "0x%x sets bits that register %s does not have"
                            .formatted(bits, register.name()));
        }
        store(register, bits);
    }

    /**
     * The device sets one field of a register.
     *
     * @throws IllegalArgumentException the value does not fit, or the field is not the register's
     */
    public void set(E register, Field field, long bits) {
        set(register, field.set(get(register), bits));
    }

    private void store(E register, long bits) {
        int i = first[register.ordinal()];
        value[i] = (int) bits;
        if (register.bytes() == 2 * DWORD) {
            value[i + 1] = (int) (bits >>> 32);
        }
    }

    private static long ones(int bytes) {
        return (1L << bytes * 8) - 1; // bytes is at most 4
    }

    private static void checkWidth(int width) {
        if (width != 1 && width != 2 && width != 4 && width != 8) {
            throw new IllegalArgumentException("width " + width + "; expected 1, 2, 4 or 8");
        }
    }

    /** {@return the map as a table, to be laid beside the specification} */
    @Override
    public String toString() {
        return RegisterTable.of(Arrays.asList(registers));
    }
}
