package org.peerlane.memory.api;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A load or store of a process could not be done, and the process would get a signal. */
public abstract sealed class CpuSignal extends RuntimeException
        permits BusError, SegmentationFault {
    @Serial private static final long serialVersionUID = 1;

    private final long address;
    private final boolean write;

    CpuSignal(String signal, long address, boolean write, String why, @Nullable Throwable cause) {
        super(
                "%s at 0x%x, %s: %s".formatted(signal, address, write ? "store" : "load", why),
                cause);
        this.address = address;
        this.write = write;
    }

    /** {@return the virtual address that could not be touched: {@code si_addr}} */
    public long address() {
        return address;
    }

    /** {@return whether it was a store} */
    public boolean isWrite() {
        return write;
    }

    /** {@return the signal's number on x86-64} */
    public abstract int signal();
}
