package org.peerlane.registers;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.registers.Field.Access;

/**
 * The registers of a device: their bits, and what an access does to them.
 *
 * <p>An access of 1, 2, 4 or 8 bytes may cover a register, a part of one, or several; bytes that
 * belong to none read 0 and drop what is written. A write leaves read-only and reserved bits alone
 * and clears the write-1-to-clear bits that are 1 in it:
 *
 * <pre>v' = ((v &amp; ~rw) | (x &amp; rw)) &amp; ~(x &amp; w1c)</pre>
 *
 * <p><b>Threads.</b> None of its own: the device's lock guards it. <b>Cost.</b> No allocation; a
 * look into a table per byte run.
 *
 * @param <E> the device's register enum
 */
public final class RegisterFile<E extends Enum<E> & Register> {
    private final E[] registers;
    private final int bytes;

    /** Which register each byte belongs to; -1: none. */
    private final short[] owner;

    private final long[] values;
    private final long[] writable;
    private final long[] clearable;
    private final long[] readable;

    /**
     * Checks the list.
     *
     * @param type the enum
     * @param bytes the size of the window they lie in
     * @throws IllegalArgumentException a register that overlaps another, is misaligned or lies
     *     outside; a bit that has no field or two; two fields of one name
     */
    public RegisterFile(Class<E> type, int bytes) {
        registers = type.getEnumConstants();
        this.bytes = bytes;
        owner = new short[bytes];
        values = new long[registers.length];
        writable = new long[registers.length];
        clearable = new long[registers.length];
        readable = new long[registers.length];
        Arrays.fill(owner, (short) -1);
        for (E register : registers) {
            place(register);
            checkFields(register);
        }
        reset();
    }

    private void place(E register) {
        int size = register.bytes();
        int first = register.offset();
        if (size < 1 || size > 8 || Integer.bitCount(size) != 1 || first % size != 0) {
            throw new IllegalArgumentException(
                    "register %s: %d bytes at 0x%x; expected 1, 2, 4 or 8, aligned to the size"
                            .formatted(register, size, first));
        }
        if (first < 0 || first + size > bytes) {
            throw new IllegalArgumentException(
                    "register %s at 0x%x lies outside of 0x%x bytes"
                            .formatted(register, first, bytes));
        }
        for (int i = first; i < first + size; i++) {
            if (owner[i] >= 0) {
                throw new IllegalArgumentException(
                        "register %s overlaps %s at 0x%x"
                                .formatted(register, registers[owner[i]], i));
            }
            owner[i] = (short) register.ordinal();
        }
    }

    private void checkFields(E register) {
        long all = ones(register.bytes());
        long seen = 0;
        Set<String> names = new HashSet<>();
        int index = register.ordinal();
        for (Field field : register.fields()) {
            long mask = field.mask();
            if ((mask & ~all) != 0 || (mask & seen) != 0) {
                throw new IllegalArgumentException(
                        "register %s: field '%s' (%d:%d) lies outside or on another field"
                                .formatted(register, field.name(), field.high(), field.low()));
            }
            if (!field.name().isEmpty() && !names.add(field.name())) {
                throw new IllegalArgumentException(
                        "register %s has two fields '%s'".formatted(register, field.name()));
            }
            seen |= mask;
            Access access = field.access();
            writable[index] |= access == Access.RW || access == Access.WO ? mask : 0;
            clearable[index] |= access == Access.W1C ? mask : 0;
            readable[index] |= access == Access.RSVD || access == Access.WO ? 0 : mask;
        }
        if (seen != all) {
            throw new IllegalArgumentException(
                    "register %s: bits 0x%x have no field".formatted(register, all & ~seen));
        }
        if ((register.reset() & ~readable[index] & ~writable[index]) != 0) {
            throw new IllegalArgumentException(
                    "register %s: reset value 0x%x sets reserved bits"
                            .formatted(register, register.reset()));
        }
    }

    private static long ones(int bytes) {
        return bytes == 8 ? -1L : (1L << (bytes * 8)) - 1;
    }

    /** All registers take their reset value. */
    public void reset() {
        for (E register : registers) {
            values[register.ordinal()] = register.reset();
        }
    }

    /** {@return the register's bits, write-only ones included} */
    public long get(E register) {
        return values[register.ordinal()];
    }

    /** Sets all of the register's bits, as the device itself may. */
    public void set(E register, long value) {
        values[register.ordinal()] = value & ones(register.bytes());
    }

    /** {@return one field's value} */
    public long get(E register, Field field) {
        return field.get(values[register.ordinal()]);
    }

    /** Sets one field, as the device itself may. */
    public void set(E register, Field field, long value) {
        values[register.ordinal()] = field.set(values[register.ordinal()], value);
    }

    /** {@return the register that a byte belongs to, or null: none} */
    public @Nullable E at(long offset) {
        int index = offset < 0 || offset >= bytes ? -1 : owner[(int) offset];
        return index < 0 ? null : registers[index];
    }

    /**
     * Software reads.
     *
     * @param offset of the first byte
     * @param width 1, 2, 4 or 8
     * @return the bytes, little-endian, zero-extended; 0 where nothing is
     */
    public long read(long offset, int width) {
        long value = 0;
        int done = 0;
        while (done < width) {
            E register = at(offset + done);
            if (register == null) {
                done++;
                continue;
            }
            int index = register.ordinal();
            int skip = (int) (offset + done) - register.offset();
            int run = Math.min(width - done, register.bytes() - skip);
            long part = ((values[index] & readable[index]) >>> (skip * 8)) & ones(run);
            value |= part << (done * 8);
            done += run;
        }
        return value;
    }

    /**
     * Software writes.
     *
     * @param offset of the first byte
     * @param width 1, 2, 4 or 8
     * @param value the bytes, little-endian
     * @return the first register that was hit, for the device to act on; null: none
     */
    public @Nullable E write(long offset, int width, long value) {
        E first = null;
        int done = 0;
        while (done < width) {
            E register = at(offset + done);
            if (register == null) {
                done++;
                continue;
            }
            int skip = (int) (offset + done) - register.offset();
            int run = Math.min(width - done, register.bytes() - skip);
            apply(register.ordinal(), value >>> (done * 8) << (skip * 8), ones(run) << (skip * 8));
            if (first == null) {
                first = register;
            }
            done += run;
        }
        return first;
    }

    private void apply(int index, long x, long lanes) {
        long rw = writable[index] & lanes;
        long v = values[index];
        values[index] = ((v & ~rw) | (x & rw)) & ~(x & clearable[index] & lanes);
    }

    /** {@return the map as a table, to lay beside the specification} */
    @Override
    public String toString() {
        var text = new StringBuilder();
        for (E register : registers) {
            text.append(
                    "%04x %d %-8s reset %x%n"
                            .formatted(
                                    register.offset(),
                                    register.bytes(),
                                    register.name(),
                                    register.reset()));
            for (Field field : register.fields()) {
                text.append(
                        "       %2d:%-2d %-4s %s%n"
                                .formatted(
                                        field.high(),
                                        field.low(),
                                        field.access(),
                                        field.name().isEmpty() ? "-" : field.name()));
            }
        }
        return text.toString();
    }
}
