package org.peerlane.memory.api;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** SIGBUS: the mapping is right, but there is nothing behind it, or not any more. */
public final class BusError extends CpuSignal {
    @Serial private static final long serialVersionUID = 1;

    /**
     * @param address what was touched
     * @param write whether by a store
     * @param why one sentence
     * @param cause what went wrong below, if anything
     */
    public BusError(long address, boolean write, String why, @Nullable Throwable cause) {
        super("SIGBUS", address, write, why, cause);
    }

    @Override
    public int signal() {
        return 7;
    }
}
