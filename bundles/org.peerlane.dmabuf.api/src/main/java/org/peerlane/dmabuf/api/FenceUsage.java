package org.peerlane.dmabuf.api;

/**
 * The role under which a fence sits in a reservation. A query for one class gets the classes before
 * it too (RV-20). Kernel counterpart: {@code enum dma_resv_usage}.
 */
public enum FenceUsage {
    /** Memory management: copy, clear, move. Everyone waits for these before touching memory. */
    KERNEL,
    /** Writers under implicit synchronisation. */
    WRITE,
    /** Readers under implicit synchronisation. */
    READ,
    /** Everything else that still uses the memory; only moving, freeing and revoking wait. */
    BOOKKEEP;

    /** {@return the class that a new access has to wait for: {@code dma_resv_usage_rw()}} */
    public static FenceUsage waitedForBy(boolean write) {
        return write ? READ : WRITE;
    }

    /** {@return whether a query for this class gets fences of {@code other}} */
    public boolean includes(FenceUsage other) {
        return other.compareTo(this) <= 0;
    }
}
