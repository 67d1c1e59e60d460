package org.peerlane.registers;

import java.util.HashSet;
import java.util.Set;

/** Refuses a register whose declaration cannot be right. */
final class RegisterCheck {
    private RegisterCheck() {}

    /** A register of a {@link RegisterFile}. */
    static void check(Register register, int windowBytes) {
        int bytes = register.bytes();
        if (bytes != 4 && bytes != 8) {
            throw wrong(register, "has %d bytes; expected 4 or 8".formatted(bytes));
        }
        checkNarrow(register, windowBytes);
    }

    /** A register of a {@link RegisterMap}. */
    static void checkNarrow(Register register, int windowBytes) {
        int offset = register.offset();
        int bytes = register.bytes();
        if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
            throw wrong(register, "has %d bytes; expected 1, 2, 4 or 8".formatted(bytes));
        }
        int aligned = Math.min(bytes, 4);
        if (offset < 0 || offset % aligned != 0 || offset + bytes > windowBytes) {
            throw wrong(
                    register,
                    "is at 0x%x; expected a multiple of %d inside a window of 0x%x bytes"
                            .formatted(offset, aligned, windowBytes));
        }
        fields(register);
    }

    private static void fields(Register register) {
        long all = -1L >>> 64 - register.bytes() * 8;
        long covered = 0;
        long reserved = 0;
        Set<String> names = new HashSet<>();
        for (Field field : register.fields()) {
            long mask = field.mask();
            String place = "%d:%d".formatted(field.high(), field.low());
            if ((mask & ~all) != 0) {
                throw wrong(
                        register,
                        "has field %s at bits %s outside it".formatted(field.name(), place));
            }
            if ((mask & covered) != 0) {
                throw wrong(register, "has two fields at bits " + place);
            }
            if (field.access() == Access.RSVD) {
                reserved |= mask;
            } else if (!names.add(field.name())) {
                throw wrong(register, "has two fields named " + field.name());
            }
            covered |= mask;
        }
        if (covered != all) {
            int bit = Long.numberOfTrailingZeros(all & ~covered);
            throw wrong(register, "has no field for bit " + bit);
        }
        if ((register.reset() & (reserved | ~all)) != 0) {
            throw wrong(register, "resets reserved bits to 0x%x".formatted(register.reset()));
        }
    }

    private static IllegalArgumentException wrong(Register register, String sentence) {
        return new IllegalArgumentException("register " + register.name() + " " + sentence);
    }
}
