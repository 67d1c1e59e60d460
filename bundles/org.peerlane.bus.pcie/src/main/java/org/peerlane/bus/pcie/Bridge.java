package org.peerlane.bus.pcie;

/** Registers of a type 1 header, as software writes them (PC-10, PC-42). */
final class Bridge {
    static final int PRIMARY = 0x18;
    static final int SECONDARY = 0x19;
    static final int SUBORDINATE = 0x1A;
    static final int IO_BASE = 0x1C;
    static final int MEMORY_BASE = 0x20;
    static final int PREFETCH_BASE = 0x24;
    static final int PREFETCH_BASE_HIGH = 0x28;
    static final int PREFETCH_LIMIT_HIGH = 0x2C;
    static final int IO_BASE_HIGH = 0x30;

    private Bridge() {}
}
