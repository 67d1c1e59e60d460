package org.peerlane.exporter.gpu;

/** What the driver uses of the card's registers and packets: docs/gpu.md has all of them. */
final class GpuRegisters {
    static final int VENDOR_ID = 0x1234;
    static final int DEVICE_ID = 0x6770;

    /** The BAR of the registers. */
    static final int REGISTERS = 0;

    /** The BAR of the memory. */
    static final int MEMORY = 2;

    static final long ID = 0x00;
    static final long MAGIC = 0x4750;
    static final long VRAM_BYTES = 0x08;
    static final long CONTROL = 0x10;
    static final long CONTROL_RUN = 1;
    static final long STATUS = 0x14;
    static final long STATUS_BUSY = 1;
    static final long STATUS_HALTED = 2;
    static final long INTERRUPT_STATUS = 0x18;
    static final long INTERRUPT_ENABLE = 0x1C;
    static final long INTERRUPT_FAULT_ERROR = 3;
    static final long INTERRUPT_ALL = 7;
    static final long RING_BASE = 0x20;
    static final long RING_SETUP = 0x28;
    static final long RING_HEAD = 0x30;
    static final long RING_TAIL = 0x34;
    static final long WRITE_BACK = 0x38;
    static final long ERROR = 0x40;
    static final long ERROR_ADDRESS = 0x48;

    /** {@link #ERROR}: a packet's fault, which those behind it do not share, is below. */
    static final int ERROR_FETCH = 10;

    /** What an address in a packet means: an offset in the card. */
    static final int VRAM = 0;

    /** What an address in a packet means: an address on the bus. */
    static final int BUS = 1;

    static final int VECTOR_ERROR = 0;
    static final int VECTOR_FENCE = 1;
    static final int VECTOR_ROOM = 2;

    private static final long COPY = 1 | 4 << 16;
    private static final long FILL = 2 | 3 << 16;
    private static final long FENCE = 3 | 3 << 16;
    private static final long TRAP = 4 | 1 << 16;
    private static final int SOURCE_SHIFT = 8;
    private static final int DESTINATION_SHIFT = 10;
    private static final long INTERRUPT = 1 << 12;
    private static final int VECTOR_SHIFT = 24;

    /** {@return the header of a packet of 4 words: source, destination, bytes follow} */
    static long copy(int source, int destination) {
        return COPY | (long) source << SOURCE_SHIFT | (long) destination << DESTINATION_SHIFT;
    }

    /** {@return the header of a packet of 3 words: destination and bytes follow} */
    static long fill(int destination, int pattern) {
        return FILL | (long) destination << DESTINATION_SHIFT | (long) pattern << 32;
    }

    /** {@return the header of a packet of 3 words: destination and value follow} */
    static long fence() {
        return FENCE
                | (long) BUS << DESTINATION_SHIFT
                | INTERRUPT
                | (long) VECTOR_FENCE << VECTOR_SHIFT;
    }

    /** {@return a packet of 1 word} */
    static long trap() {
        return TRAP | (long) VECTOR_ROOM << VECTOR_SHIFT;
    }

    private GpuRegisters() {}
}
