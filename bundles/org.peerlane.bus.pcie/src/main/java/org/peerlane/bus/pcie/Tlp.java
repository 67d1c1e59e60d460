package org.peerlane.bus.pcie;

/**
 * The header of a memory request, as an error log keeps it (PCIe 5.0, 2.2.4 and 2.2.7).
 *
 * @param write memory write; else memory read
 * @param requesterId 16 bits
 * @param address where to
 * @param bytes how many
 */
record Tlp(boolean write, int requesterId, long address, long bytes) {
    private static final int DWORDS = 1024;

    /** {@return a dword of the header, its first byte in bits 31:24} */
    int dword(int index) {
        boolean wide = address >>> 32 != 0;
        int dwords = (int) Math.min(DWORDS, ((address & 3) + bytes + 3) / 4);
        return switch (index) {
            case 0 -> (write ? 0x4000_0000 : 0) | (wide ? 0x2000_0000 : 0) | dwords % DWORDS;
            case 1 -> requesterId << 16 | (dwords > 1 ? 0xFF : 0x0F);
            case 2 -> wide ? (int) (address >>> 32) : (int) address & ~3;
            default -> wide ? (int) address & ~3 : 0;
        };
    }
}
