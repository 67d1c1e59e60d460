package org.peerlane.bus.pcie;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.InterruptPort;

/**
 * The MSI capability of one function at work: mask, pending, message (PC-28, PC-30).
 *
 * <p><b>Pending.</b> Whoever takes a pending bit away sends its message: the one who unmasks, or
 * the one who raised and sees that the mask has gone meanwhile. So exactly one message is sent.
 *
 * <p><b>Locks.</b> None; {@link #program} is called with the function's.
 */
final class MsiPort implements InterruptPort {
    private static final VarHandle PENDING;

    static {
        try {
            PENDING = MethodHandles.lookup().findVarHandle(MsiPort.class, "pending", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /**
     * What software has programmed.
     *
     * @param vectors how many may be sent; 0: messages are off
     * @param address where to
     * @param data of vector 0; the low bits that number the vectors are 0
     * @param mask a 1 keeps its vector back
     */
    record Programmed(int vectors, long address, int data, int mask) {
        static final Programmed OFF = new Programmed(0, 0, 0, 0);

        boolean has(int vector) {
            return vector >= 0 && vector < vectors;
        }

        boolean masks(int vector) {
            return (mask & 1 << vector) != 0;
        }
    }

    private final FunctionDmaPort port;
    private final BusTrace trace;

    private volatile Programmed programmed = Programmed.OFF;

    @SuppressWarnings("unused") // through PENDING
    private volatile int pending;

    MsiPort(FunctionDmaPort port, BusTrace trace) {
        this.port = port;
        this.trace = trace;
    }

    @Override
    public int raise(int vector) {
        if (port.refusal() == DmaResult.GONE) {
            return DmaResult.GONE;
        }
        Programmed now = programmed;
        if (!now.has(vector)) {
            return DmaResult.UNSUPPORTED_REQUEST;
        }
        if (now.masks(vector)) {
            PENDING.getAndBitwiseOr(this, 1 << vector);
            now = programmed;
            if (now.has(vector) && now.masks(vector) || !takePending(vector)) {
                return DmaResult.OK;
            }
            if (!now.has(vector)) {
                return DmaResult.UNSUPPORTED_REQUEST;
            }
        }
        return send(now, vector);
    }

    /** Takes over what config space says now; then {@link #sendPending}, without the lock. */
    void program(Programmed now) {
        programmed = now;
    }

    /** Sends what was kept back and is not masked any more; it stays while nothing may be sent. */
    void sendPending() {
        if (port.refusal() != DmaResult.OK) {
            return;
        }
        Programmed now = programmed;
        int free = pending() & ~now.mask();
        for (; free != 0; free &= free - 1) {
            int vector = Integer.numberOfTrailingZeros(free);
            if (now.has(vector) && takePending(vector)) {
                send(now, vector);
            }
        }
    }

    /** {@return the pending register} */
    int pending() {
        return (int) PENDING.getVolatile(this);
    }

    void reset() {
        programmed = Programmed.OFF;
        pending = 0;
    }

    private boolean takePending(int vector) {
        int bit = 1 << vector;
        return ((int) PENDING.getAndBitwiseAnd(this, ~bit) & bit) != 0;
    }

    private int send(Programmed now, int vector) {
        int data = now.data() | vector;
        int status = port.message(now.address(), data);
        if (status == DmaResult.OK && trace.msiSent.isOn()) {
            trace.msiSent.emit(new BusEvents.MsiSent(port.address(), vector, now.address(), data));
        }
        return status;
    }
}
