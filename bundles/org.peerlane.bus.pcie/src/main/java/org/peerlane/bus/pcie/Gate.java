package org.peerlane.bus.pcie;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.Condition;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Whether a function's requests may leave it, and how many are on their way.
 *
 * <p>A pass is a number: the function's generation and why its requests would be refused, 0 for not
 * at all. A request takes a pass when it begins and shows it before each transaction; once the pass
 * has changed, nothing of that request goes out any more, not even if the gate is open again
 * (PC-62).
 *
 * <p><b>Threads.</b> A transaction counts itself in, then reads the pass; whoever shuts the gate
 * writes the pass, then waits for the count. So either the transaction sees the new pass, or it is
 * waited for.
 *
 * <p><b>Cost.</b> Two atomic additions a transaction, on a line of their own.
 */
final class Gate {
    private static final int REASON_BITS = 8;
    private static final long REASON_MASK = (1 << REASON_BITS) - 1;
    private static final VarHandle IN_FLIGHT;

    static {
        try {
            IN_FLIGHT = MethodHandles.lookup().findVarHandle(Gate.class, "inFlight", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final NamedLock lock;
    private final Condition drained;
    private volatile long pass = DmaResult.BUS_MASTER_OFF;

    /** Padding, so that the counter shares its cache line with nothing that others read. */
    @SuppressWarnings("unused")
    private long p1, p2, p3, p4, p5, p6, p7;

    @SuppressWarnings("unused") // through IN_FLIGHT
    private volatile long inFlight;

    @SuppressWarnings("unused")
    private long q1, q2, q3, q4, q5, q6, q7;

    Gate(Execution execution) {
        lock = execution.lock("bus.gate");
        drained = lock.newCondition("drained");
    }

    /** {@return the pass of now} */
    long pass() {
        return pass;
    }

    /** {@return why a request with this pass is refused, {@link DmaResult#OK}: it is not} */
    static int refusal(long pass) {
        return (int) (pass & REASON_MASK);
    }

    /** A transaction begins. If the answer is false it must not go on, and has not begun. */
    boolean enter(long shown) {
        IN_FLIGHT.getAndAdd(this, 1L);
        if (pass == shown) {
            return true;
        }
        leave();
        return false;
    }

    /** A transaction has ended. */
    void leave() {
        long before = (long) IN_FLIGHT.getAndAdd(this, -1L);
        if (before == 1 && refusal(pass) != DmaResult.OK) {
            lock.lock();
            try {
                drained.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Opens, or shuts for a reason, within the same generation; waits for nothing. */
    void set(int reason) {
        pass = (pass & ~REASON_MASK) | reason;
    }

    /** Shuts for a reason, and waits until no transaction is on its way. */
    void shutAndDrain(int reason) {
        set(reason);
        lock.lock();
        try {
            while ((long) IN_FLIGHT.getVolatile(this) != 0) {
                drained.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Passes from before are worth nothing any more. */
    void nextGeneration() {
        pass += 1L << REASON_BITS;
    }

    /** {@return how often the function has been reset} */
    long generation() {
        return pass >>> REASON_BITS;
    }
}
