package org.peerlane.registers;

/**
 * What software may do with a field. The device itself may always set it.
 *
 * <p>A sticky field is one that PCIe keeps over a reset that does not take the power away (PC-64);
 * {@link RegisterFile#reset} does not keep it: who has such resets has a store that does.
 */
public enum Access {
    /** Reads answer it, writes leave it. */
    RO(true, false, false, false),
    /** As {@link #RO}, and sticky. */
    ROS(true, false, false, true),
    /** Reads answer it, writes change it. */
    RW(true, true, false, false),
    /** As {@link #RW}, and sticky. */
    RWS(true, true, false, true),
    /** Reads answer it; writing a 1 clears the bit, writing a 0 leaves it. */
    W1C(true, false, true, false),
    /** As {@link #W1C}, and sticky. */
    W1CS(true, false, true, true),
    /** Reads answer 0, writes change what the device sees. */
    WO(false, true, false, false),
    /** Reserved: reads answer 0, writes are dropped, the device cannot set it. */
    RSVD(false, false, false, false);

    private final boolean readable;
    private final boolean writable;
    private final boolean clearable;
    private final boolean sticky;

    Access(boolean readable, boolean writable, boolean clearable, boolean sticky) {
        this.readable = readable;
        this.writable = writable;
        this.clearable = clearable;
        this.sticky = sticky;
    }

    /** {@return whether reads answer it} */
    public boolean readable() {
        return readable;
    }

    /** {@return whether writes replace it} */
    public boolean writable() {
        return writable;
    }

    /** {@return whether writing a 1 clears it} */
    public boolean clearable() {
        return clearable;
    }

    /** {@return whether a reset that keeps sticky bits keeps it} */
    public boolean sticky() {
        return sticky;
    }
}
