package org.peerlane.device.edu;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.wo;

import java.util.List;
import org.peerlane.registers.Field;
import org.peerlane.registers.Register;

/**
 * Registers of BAR 0, as in the specification of QEMU's edu device ({@code docs/specs/edu.rst}).
 * STATUS.DMA_ERROR is ours: the original leaves a bad DMA range unreported.
 */
// spotless:off
enum EduRegister implements Register {
    //            offset bytes reset
    ID            (0x00, 4, 0x0100_00EDL,
            ro  (31, 24, "MAJOR"),
            ro  (23, 16, "MINOR"),
            rsvd(15,  8),
            ro  ( 7,  0, "MAGIC")),
    LIVENESS      (0x04, 4, 0,               // reads the complement of what was written
            rw  (31,  0, "VALUE")),
    FACTORIAL     (0x08, 4, 1,               // a write starts the computation of VALUE!
            rw  (31,  0, "VALUE")),
    STATUS        (0x20, 4, 0,
            rsvd(31,  9),
            ro  ( 8,  8, "DMA_ERROR"),       // the last DMA did not do all it should; until the next
            rw  ( 7,  7, "IRQ_FACTORIAL"),   // raise an interrupt when the factorial is there
            rsvd( 6,  1),
            ro  ( 0,  0, "COMPUTING")),
    IRQ_STATUS    (0x24, 4, 0,
            ro  (31,  0, "PENDING")),
    IRQ_RAISE     (0x60, 4, 0,               // sets bits of IRQ_STATUS and signals
            wo  (31,  0, "BITS")),
    IRQ_ACK       (0x64, 4, 0,               // clears bits of IRQ_STATUS
            wo  (31,  0, "BITS")),
    DMA_SOURCE    (0x80, 8, 0,
            rw  (63,  0, "ADDRESS")),
    DMA_TARGET    (0x88, 8, 0,
            rw  (63,  0, "ADDRESS")),
    DMA_COUNT     (0x90, 8, 0,
            rw  (63,  0, "BYTES")),
    DMA_COMMAND   (0x98, 8, 0,
            rsvd(63,  3),
            rw  ( 2,  2, "IRQ"),             // raise an interrupt at the end
            rw  ( 1,  1, "TO_RAM"),          // 0: RAM to buffer, 1: buffer to RAM
            rw  ( 0,  0, "RUN"));            // 1 starts; reads 1 until the end
    // spotless:on

    private final int offset;
    private final int bytes;
    private final long reset;
    private final List<Field> fields;

    EduRegister(int offset, int bytes, long reset, Field... fields) {
        this.offset = offset;
        this.bytes = bytes;
        this.reset = reset;
        this.fields = List.of(fields);
    }

    @Override
    public int offset() {
        return offset;
    }

    @Override
    public int bytes() {
        return bytes;
    }

    @Override
    public long reset() {
        return reset;
    }

    @Override
    public List<Field> fields() {
        return fields;
    }
}
