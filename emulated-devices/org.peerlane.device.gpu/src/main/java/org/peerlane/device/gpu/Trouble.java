package org.peerlane.device.gpu;

/**
 * What stopped the engine, on its way from where it was found to the registers. One object per
 * engine. <b>Threads.</b> The engine's.
 */
final class Trouble {
    private GpuError error = GpuError.NONE;
    private int detail;
    private long address;
    private FaultReason reason = FaultReason.DISABLED;
    private int level;
    private boolean write;

    /** {@return {@link Outcome#FAILED}, with this as the reason} */
    Outcome is(GpuError found, long at) {
        return is(found, 0, at);
    }

    /**
     * {@return {@link Outcome#FAILED}, with this as the reason}
     *
     * @param more what ERROR.DETAIL will say
     * @param at what ERROR_ADDRESS will say
     */
    Outcome is(GpuError found, int more, long at) {
        error = found;
        detail = more;
        address = at;
        return Outcome.FAILED;
    }

    /** {@return {@link Outcome#FAILED}, because of a fault of the MMU's} */
    Outcome fault(FaultReason why, int where, boolean writing, long virtual) {
        reason = why;
        level = where;
        write = writing;
        return is(GpuError.MMU_FAULT, why.code(), virtual);
    }

    GpuError error() {
        return error;
    }

    int detail() {
        return detail;
    }

    /** {@return the address that it is about; of a fault a virtual one} */
    long address() {
        return address;
    }

    FaultReason reason() {
        return reason;
    }

    /** {@return the level of the table that a walk ended at: 2, 1 or 0} */
    int level() {
        return level;
    }

    /** {@return whether the access that faulted is a write} */
    boolean isWrite() {
        return write;
    }
}
