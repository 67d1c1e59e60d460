package org.peerlane.bus.api;

/**
 * How a {@link DeviceModel} answers a read that it has no value for: it throws one of the constants
 * here. A read by the CPU is all-ones then; one by a peer's DMA ends with the status that belongs
 * to it. The bus logs the error at the end that PCI Express says (PC-33, PC-66, PC-67).
 *
 * <p><b>Cost.</b> Made once; no stack trace, no suppressed exceptions, so it may be thrown by any
 * thread at any rate.
 */
@SuppressWarnings("StaticAssignmentOfThrowable") // without stack trace, so no place to be wrong
public final class ReadFailure extends RuntimeException {
    /** The device does not take such a read. A peer gets {@link DmaResult#UNSUPPORTED_REQUEST}. */
    public static final ReadFailure UNSUPPORTED_REQUEST = new ReadFailure(Kind.UNSUPPORTED_REQUEST);

    /** The device takes it and cannot answer. A peer gets {@link DmaResult#COMPLETER_ABORT}. */
    public static final ReadFailure COMPLETER_ABORT = new ReadFailure(Kind.COMPLETER_ABORT);

    /** The device never answers. A peer gets {@link DmaResult#TIMEOUT}, after its time. */
    public static final ReadFailure NO_COMPLETION = new ReadFailure(Kind.NO_COMPLETION);

    /** The data is known to be bad. A peer gets {@link DmaResult#POISONED} and no data. */
    public static final ReadFailure POISONED = new ReadFailure(Kind.POISONED);

    private static final long serialVersionUID = 1;

    /** What there is. */
    public enum Kind {
        /** Completion status UR. */
        UNSUPPORTED_REQUEST,
        /** Completion status CA. */
        COMPLETER_ABORT,
        /** No completion. */
        NO_COMPLETION,
        /** A completion with the EP bit. */
        POISONED
    }

    private final Kind kind;

    private ReadFailure(Kind kind) {
        super(kind.name(), null, false, false);
        this.kind = kind;
    }

    /** {@return which of them it is} */
    public Kind kind() {
        return kind;
    }
}
