package org.peerlane.device.gpu;

/**
 * Where bytes are, once every address has been translated, and how many follow each other there.
 * Made once, filled for each step. <b>Threads.</b> The engine's.
 */
final class Place {
    private boolean vram;
    private long address;
    private long run;

    void is(boolean inVram, long at, long bytes) {
        vram = inVram;
        address = at;
        run = bytes;
    }

    /** {@return whether it is in the VRAM; else it is on the bus} */
    boolean isVram() {
        return vram;
    }

    /** {@return VRAM offset or bus address} */
    long address() {
        return address;
    }

    /** {@return for how many bytes that holds} */
    long run() {
        return run;
    }
}
