package org.peerlane.device.edu;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.wo;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/**
 * Registers of BAR 0, after QEMU's docs/specs/edu.rst. Below 0x80 software must access 4 bytes,
 * from there on 4 or 8.
 *
 * <p><b>Departures.</b> {@code DMA_COMMAND.ERROR} is ours: QEMU's device has no way to say that a
 * transfer failed. A 4-byte write to half of a DMA register leaves the other half.
 */
enum EduRegister implements PlacedRegister {
    // spotless:off
    //                  offset bytes reset
    IDENTIFICATION       (0x00, 4, 0x0100_00ED,
            ro(31, 24, "MAJOR"),
            ro(23, 16, "MINOR"),
            ro(15, 0, "ED")),
    LIVENESS             (0x04, 4, 0,
            rw(31, 0, "INVERTED")),      // reads back the complement of what was written
    FACTORIAL            (0x08, 4, 0,
            rw(31, 0, "VALUE")),         // write n, wait for COMPUTING to clear, read n! mod 2^32
    STATUS               (0x20, 4, 0,
            rsvd(31, 8),
            rw(7, 7, "IRQFACT"),         // interrupt when a factorial is done
            rsvd(6, 1),
            ro(0, 0, "COMPUTING")),
    INTERRUPT_STATUS     (0x24, 4, 0,
            ro(31, 0, "PENDING")),       // 0x001 factorial, 0x100 DMA, others by INTERRUPT_RAISE
    INTERRUPT_RAISE      (0x60, 4, 0,
            wo(31, 0, "RAISE")),
    INTERRUPT_ACKNOWLEDGE(0x64, 4, 0,
            wo(31, 0, "CLEAR")),
    DMA_SOURCE           (0x80, 8, 0,
            rw(63, 0, "ADDRESS")),
    DMA_DESTINATION      (0x88, 8, 0,
            rw(63, 0, "ADDRESS")),
    DMA_COUNT            (0x90, 8, 0,
            rw(63, 0, "BYTES")),
    DMA_COMMAND          (0x98, 8, 0,
            rsvd(63, 4),
            ro(3, 3, "ERROR"),           // the last transfer moved nothing or not everything
            rw(2, 2, "IRQ"),             // interrupt 0x100 at the end
            rw(1, 1, "TO_RAM"),          // 0: RAM to buffer, 1: buffer to RAM
            rw(0, 0, "RUN"));            // starts; reads 1 as long as it runs
    // spotless:on

    /** Where the registers end; the rest of the BAR is empty. */
    static final int WINDOW_BYTES = 0xA0;

    /** From here on 8-byte accesses are allowed. */
    static final long WIDE_FROM = 0x80;

    static final Field COMPUTING = STATUS.field("COMPUTING");
    static final Field IRQFACT = STATUS.field("IRQFACT");
    static final Field RUN = DMA_COMMAND.field("RUN");
    static final Field TO_RAM = DMA_COMMAND.field("TO_RAM");
    static final Field IRQ = DMA_COMMAND.field("IRQ");
    static final Field ERROR = DMA_COMMAND.field("ERROR");

    private final Placement placement;

    EduRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
