package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.ResetKind;
import org.peerlane.registers.Field;
import org.peerlane.registers.Register;
import org.peerlane.registers.RegisterMap;

/** Registers in a row in config space that mean something together: a header or a capability. */
abstract class ConfigBlock {
    final ConfigSpace config;
    private final int at;

    ConfigBlock(ConfigSpace config, int at) {
        this.config = config;
        this.at = at;
    }

    /** {@return where it starts} */
    public final int at() {
        return at;
    }

    final void define(RegisterMap<?> map) {
        for (Register register : map.registers()) {
            config.define(at, register);
        }
    }

    final long get(Register register) {
        return config.get(at + register.offset(), register.bytes());
    }

    final int get(Register register, Field field) {
        return (int) field.get(get(register));
    }

    final boolean is(Register register, Field bit) {
        return (config.get(at + register.offset(), register.bytes()) & bit.mask()) != 0;
    }

    final void set(Register register, long bits) {
        config.set(at + register.offset(), register.bytes(), bits);
    }

    final void set(Register register, Field field, long bits) {
        set(register, field.set(get(register), bits));
    }

    final void set(Register register, Field bit, boolean on) {
        set(register, bit, on ? 1 : 0);
    }

    /** What the hardware is made with: stays over every reset. */
    final void preset(Register register, Field field, long bits) {
        config.preset(at + register.offset(), register.bytes(), field.mask(), field.set(0, bits));
    }

    final void preset(Register register, Field bit, boolean on) {
        preset(register, bit, on ? 1 : 0);
    }

    /** Software may change only these of a field's bits; 0: none. */
    final void limit(Register register, Field field, long bits) {
        config.writable(
                at + register.offset(), register.bytes(), field.mask(), bits << field.low());
    }

    final void keepWithLink(Register register, Field field) {
        config.keepWithLink(at + register.offset(), register.bytes(), field.mask());
    }

    /**
     * Software has written a dword of the block, after the masks.
     *
     * @param dword from the block's start
     * @param lanes ones in the bytes written
     * @param x what was written, 0 in the other bytes
     * @param before the dword before
     * @return {@link Effect}s
     */
    int written(int dword, int lanes, int x, int before) {
        return 0;
    }

    /** {@return whether a write reached a register} */
    static boolean hit(Register register, int dword, int lanes) {
        return (register.offset() & ~3) == dword
                && (lanes & (int) ConfigSpace.ones(register.bytes()) << (register.offset() & 3) * 8)
                        != 0;
    }

    /** {@return a register's bits in a dword of the block} */
    static long of(Register register, int dword) {
        return (dword & 0xFFFF_FFFFL) >>> (register.offset() & 3) * 8
                & ConfigSpace.ones(register.bytes());
    }

    /** The bits have been reset; what hangs on them follows. */
    void reset(ResetKind kind) {}
}
