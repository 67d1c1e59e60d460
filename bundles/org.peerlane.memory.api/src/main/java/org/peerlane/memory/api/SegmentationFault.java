package org.peerlane.memory.api;

import java.io.Serial;

/** SIGSEGV: no mapping, or one that does not allow this. */
public final class SegmentationFault extends CpuSignal {
    @Serial private static final long serialVersionUID = 1;

    /**
     * @param address what was touched
     * @param write whether by a store
     * @param why one sentence
     */
    public SegmentationFault(long address, boolean write, String why) {
        super("SIGSEGV", address, write, why, null);
    }

    @Override
    public int signal() {
        return 11;
    }
}
