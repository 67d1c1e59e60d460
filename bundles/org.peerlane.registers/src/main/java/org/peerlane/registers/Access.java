package org.peerlane.registers;

/** What software may do with a field. The device itself may always set it. */
public enum Access {
    /** Reads answer it, writes leave it. */
    RO,
    /** Reads answer it, writes change it. */
    RW,
    /** Reads answer it; writing a 1 clears the bit, writing a 0 leaves it. */
    W1C,
    /** Reads answer 0, writes change what the device sees. */
    WO,
    /** Reserved: reads answer 0, writes are dropped, the device cannot set it. */
    RSVD
}
