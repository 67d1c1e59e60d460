package org.peerlane.device.gpu;

/**
 * What the addresses in packets lead to. A range is checked as a whole before the first byte moves,
 * for where it begins and ends; pages of a virtual one are looked up as they are come to.
 *
 * <p><b>Threads.</b> The engine's.
 */
final class Addresses {
    private static final long VIRTUAL_END = 1L << PageEntry.VIRTUAL_BITS;

    private final Vram vram;
    private final GpuMmu mmu;
    private final Trouble trouble;

    Addresses(Vram vram, GpuMmu mmu, Trouble trouble) {
        this.vram = vram;
        this.mmu = mmu;
        this.trouble = trouble;
    }

    /** Checks a range of any two numbers; one of no bytes is everywhere. */
    Outcome check(Space space, long address, long bytes) {
        boolean inside =
                switch (space) {
                    case VRAM -> vram.holds(address, bytes);
                    case BUS ->
                            bytes >= 0
                                    && (bytes == 0
                                            || Long.compareUnsigned(address, address + bytes - 1)
                                                    <= 0);
                    case VIRTUAL ->
                            address >= 0
                                    && bytes >= 0
                                    && bytes <= VIRTUAL_END
                                    && address <= VIRTUAL_END - bytes;
                };
        return inside ? Outcome.DONE : trouble.is(GpuError.RANGE, address);
    }

    /**
     * Says where the first bytes of a checked range are.
     *
     * @param bytes how many are left, at least 1
     */
    Outcome find(Space space, long address, long bytes, boolean write, Place into) {
        return switch (space) {
            case VRAM -> found(true, address, bytes, into);
            case BUS -> found(false, address, bytes, into);
            case VIRTUAL -> mmu.translate(address, write, into);
        };
    }

    private static Outcome found(boolean inVram, long address, long bytes, Place into) {
        into.is(inVram, address, bytes);
        return Outcome.DONE;
    }
}
