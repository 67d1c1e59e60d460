package org.peerlane.bus.api;

/**
 * The answer of a {@link DmaPort}: a status in the top byte, the bytes done in the rest.
 *
 * <p><b>Source.</b> Completion statuses of PC-66; the local refusals are ours to name.
 */
public final class DmaResult {
    /** Successful completion; of a write, only that it was posted. */
    public static final int OK = 0;

    /** Unsupported request: nobody answers at the address, or an IOMMU fault. */
    public static final int UNSUPPORTED_REQUEST = 1;

    /** Completer abort. */
    public static final int COMPLETER_ABORT = 4;

    /** No completion came in time. */
    public static final int TIMEOUT = 8;

    /** The completion's data is marked as bad; none of it was taken. */
    public static final int POISONED = 9;

    /** Local refusal: Command.BME is 0 or the power state is not D0; nothing was sent. */
    public static final int BUS_MASTER_OFF = 16;

    /** Local refusal: the function was reset or removed since the work began; nothing was sent. */
    public static final int GONE = 17;

    private static final int STATUS_SHIFT = 56;
    private static final long BYTES_MASK = (1L << STATUS_SHIFT) - 1;

    private DmaResult() {}

    /** {@return the packed answer} */
    public static long of(int status, long bytes) {
        return (long) status << STATUS_SHIFT | bytes;
    }

    /** {@return the status: one of the constants here} */
    public static int status(long result) {
        return (int) (result >>> STATUS_SHIFT);
    }

    /** {@return how many bytes were moved, from the start of the call on} */
    public static long bytes(long result) {
        return result & BYTES_MASK;
    }

    /** {@return whether all of it was moved} */
    public static boolean isOk(long result) {
        return result >>> STATUS_SHIFT == OK;
    }

    /** {@return the status in words} */
    public static String describe(long result) {
        return switch (status(result)) {
            case OK -> "ok";
            case UNSUPPORTED_REQUEST -> "unsupported request";
            case COMPLETER_ABORT -> "completer abort";
            case TIMEOUT -> "completion timeout";
            case POISONED -> "poisoned data";
            case BUS_MASTER_OFF -> "bus master off";
            case GONE -> "function reset or removed";
            default -> "status " + status(result);
        };
    }
}
