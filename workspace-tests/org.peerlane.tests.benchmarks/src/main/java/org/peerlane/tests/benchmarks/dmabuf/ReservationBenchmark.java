package org.peerlane.tests.benchmarks.dmabuf;

import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.fence.CoreFences;
import org.peerlane.dmabuf.core.fence.FenceEnvironment;
import org.peerlane.dmabuf.core.resv.CoreAcquireContext;
import org.peerlane.dmabuf.core.resv.CoreReservation;
import org.peerlane.dmabuf.core.resv.ReservationClass;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.trace.api.Tracer;

/**
 * What a reservation costs that nobody else wants: the lock, a fence, a wait with nothing to do.
 */
public class ReservationBenchmark {
    private static final int MANY = 8;

    /** Makes the state. */
    public ReservationBenchmark() {}

    /** Reservations and a transaction. */
    @State(Scope.Thread)
    public static class Locks {
        /** Whether broken rules are looked for. */
        @Param({"false", "true"})
        boolean checks;

        private final ReentrantLock bare = new ReentrantLock();
        private final CoreReservation[] all = new CoreReservation[MANY];
        private LiveExecution execution;
        private CoreFences fences;
        private ReservationClass kind;
        private CoreReservation one;
        private CoreAcquireContext transaction;

        /** It does not signal. */
        private Fence fence;

        /** Makes the state. */
        public Locks() {}

        /** Makes them. */
        @Setup
        public void make() {
            execution = new LiveExecution("benchmark");
            Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
            Checks watching = new Checks(execution, tracer, checks);
            fences =
                    new CoreFences(
                            new FenceEnvironment(execution, tracer, watching, Profile.DEFAULT, 0),
                            "benchmark");
            kind = new ReservationClass(execution, tracer, watching, fences);
            for (int i = 0; i < MANY; i++) {
                all[i] = kind.newReservation("r" + i, "benchmark", i);
            }
            one = all[0];
            transaction = kind.acquire("benchmark");
            fence = fences.create(new Issuer(), fences.allocateContexts(1), 1);
        }

        /** Ends its execution. */
        @TearDown
        public void close() {
            execution.close();
        }
    }

    private static final class Issuer implements FenceOperations {
        @Override
        public String driverName() {
            return "benchmark";
        }

        @Override
        public String timelineName(Fence fence) {
            return "benchmark";
        }
    }

    /** A reservation that holds fences which have signaled. */
    @State(Scope.Thread)
    public static class Signaled {
        /** How many fences it holds. */
        @Param({"0", "1", "8"})
        int count;

        private LiveExecution execution;
        private CoreReservation reservation;

        /** Makes the state. */
        public Signaled() {}

        /** Makes them. */
        @Setup
        public void make() {
            Locks locks = new Locks();
            locks.make();
            execution = locks.execution;
            reservation = locks.one;
            FenceOperations issuer = new Issuer();
            Fence[] made = new Fence[count];
            reservation.lock(null);
            if (count > 0) {
                reservation.reserveFences(count);
            }
            for (int i = 0; i < count; i++) {
                made[i] = locks.fences.create(issuer, locks.fences.allocateContexts(1), 1);
                reservation.addFence(made[i], FenceUsage.WRITE);
            }
            reservation.unlock();
            for (Fence fence : made) {
                fence.signal();
            }
        }

        /** Ends its execution. */
        @TearDown
        public void close() {
            execution.close();
        }
    }

    /** The yardstick: a lock of the JDK. */
    @Benchmark
    public boolean bareLock(Locks locks) {
        locks.bare.lock();
        boolean held = locks.bare.isHeldByCurrentThread();
        locks.bare.unlock();
        return held;
    }

    /** The lock of one reservation, as a plain mutex. */
    @Benchmark
    @Budget(name = "dmabuf.lock", against = "bareLock", atMostRatio = 2, maxBytesPerOp = 0)
    public boolean lock(Locks locks) {
        locks.one.lock(null);
        boolean held = locks.one.isHeld();
        locks.one.unlock();
        return held;
    }

    /** The lock of one reservation, by a transaction. */
    @Benchmark
    @Budget(name = "dmabuf.lock.context", against = "bareLock", atMostRatio = 3, maxBytesPerOp = 0)
    public boolean lockWithContext(Locks locks) {
        locks.one.lock(locks.transaction);
        boolean held = locks.one.isHeld();
        locks.one.unlock();
        return held;
    }

    /** A whole transaction over eight reservations. */
    @Benchmark
    @Budget(name = "dmabuf.lock.eight")
    public long lockEight(Locks locks) {
        try (CoreAcquireContext transaction = locks.kind.acquire("benchmark")) {
            for (CoreReservation reservation : locks.all) {
                reservation.lock(transaction);
            }
            transaction.done();
            for (CoreReservation reservation : locks.all) {
                reservation.unlock();
            }
            return transaction.stamp();
        }
    }

    /** A fence is published, in place of what its timeline had: lock, slot, fence, unlock. */
    @Benchmark
    @Budget(name = "dmabuf.add-fence", atMostNanos = 100, maxBytesPerOp = 0)
    public int addFence(Locks locks) {
        CoreReservation reservation = locks.one;
        reservation.lock(null);
        reservation.reserveFences(1);
        reservation.addFence(locks.fence, FenceUsage.WRITE);
        int left = reservation.reserved();
        reservation.unlock();
        return left;
    }

    /** A wait that finds nothing to wait for. */
    @Benchmark
    @Budget(name = "dmabuf.wait.signaled", atMostNanos = 150, maxBytesPerOp = 0)
    public long waitSignaled(Signaled signaled) {
        return signaled.reservation.waitTimeout(FenceUsage.READ, false, Reservation.NO_LIMIT);
    }
}
