package org.peerlane.tests.benchmarks.dmabuf;

import java.util.concurrent.CompletableFuture;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.fence.CoreFence;
import org.peerlane.dmabuf.core.fence.CoreFences;
import org.peerlane.dmabuf.core.fence.FenceEnvironment;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.trace.api.Tracer;

/**
 * The life of a fence, from its making to its last put, with callbacks that count; against the
 * JDK's nearest, a {@link CompletableFuture}. A fence reads the clock when it signals, which a
 * future does not; {@link #fenceTimed} is given the time.
 */
public class FenceBenchmark {
    /** Makes the state. */
    public FenceBenchmark() {}

    /** How many wait. */
    @State(Scope.Thread)
    public static class Waiters {
        /** Callbacks per fence. */
        @Param({"0", "1", "8"})
        int callbacks;

        private long runs;
        private Runnable action;

        /** Makes the state. */
        public Waiters() {}

        /** Makes what a future runs. */
        @Setup
        public void make() {
            action = () -> runs++;
        }
    }

    /** Fences, and callbacks as drivers have them: in objects of theirs that live on. */
    public abstract static class Fences {
        private final LiveExecution execution = new LiveExecution("benchmark");
        private final CoreFences fences;
        private final long context;
        private final Issuer issuer = new Issuer();
        private final Counter[] counters = new Counter[8];
        private long seqno;

        Fences(boolean checking) {
            Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
            Checks checks = new Checks(execution, tracer, checking);
            fences =
                    new CoreFences(
                            new FenceEnvironment(execution, tracer, checks, Profile.parse("7.3")),
                            "benchmark");
            context = fences.allocateContexts(1);
            for (int i = 0; i < counters.length; i++) {
                counters[i] = new Counter();
            }
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            execution.close();
        }

        Fence begin(int callbacks) {
            Fence fence = fences.create(issuer, context, ++seqno);
            for (int i = 0; i < callbacks; i++) {
                fence.addCallback(counters[i]);
            }
            return fence;
        }
    }

    /** As a machine runs that does not look for mistakes. */
    @State(Scope.Thread)
    public static class Plain extends Fences {
        /** Makes the state. */
        public Plain() {
            super(false);
        }
    }

    /** As a machine runs that looks for mistakes. */
    @State(Scope.Thread)
    public static class Checked extends Fences {
        /** Makes the state. */
        public Checked() {
            super(true);
        }
    }

    private static final class Issuer implements FenceOperations {
        @Override
        public String driverName() {
            return "gpu0";
        }

        @Override
        public String timelineName(Fence fence) {
            return "copy";
        }

        @Override
        public boolean enableSignaling(Fence fence) {
            return true;
        }
    }

    private static final class Counter extends FenceCallback {
        private long runs;

        @Override
        public void signaled(Fence fence) {
            runs++;
        }
    }

    /** Something of the size of a future. */
    private static final class Bare {
        private final long a;

        Bare(long a) {
            this.a = a;
        }
    }

    /** For comparison: an object. */
    @Benchmark
    public Object bare(Waiters waiters) {
        return new Bare(waiters.runs);
    }

    /** The yardstick. */
    @Benchmark
    public Object future(Waiters waiters) {
        CompletableFuture<Object> future = new CompletableFuture<>();
        for (int i = 0; i < waiters.callbacks; i++) {
            future.thenRun(waiters.action);
        }
        future.complete(this);
        return future;
    }

    /** The yardstick, with a look at the clock. */
    @Benchmark
    @Budget(name = "fence.future-and-clock", against = "future")
    public Object futureAndClock(Waiters waiters) {
        CompletableFuture<Object> future = new CompletableFuture<>();
        for (int i = 0; i < waiters.callbacks; i++) {
            future.thenRun(waiters.action);
        }
        future.complete(System.nanoTime());
        return future;
    }

    /** Made, waited for, signaled, let go of. */
    @Benchmark
    @Budget(name = "fence.signal", against = "future")
    public Object fence(Waiters waiters, Plain plain) {
        Fence fence = plain.begin(waiters.callbacks);
        fence.signal();
        fence.put();
        return fence;
    }

    /** The same, at a time that the issuer knows. */
    @Benchmark
    @Budget(name = "fence.signal-timed", against = "future")
    public Object fenceTimed(Waiters waiters, Plain plain) {
        Fence fence = plain.begin(waiters.callbacks);
        fence.signalTimestamp(1);
        fence.put();
        return fence;
    }

    /** The same, and others could see it meanwhile. */
    @Benchmark
    @Budget(name = "fence.published", against = "future")
    public Object fencePublished(Waiters waiters, Plain plain) {
        CoreFence fence = (CoreFence) plain.begin(waiters.callbacks);
        fence.published();
        fence.signal();
        fence.put();
        return fence;
    }

    /** While somebody looks for mistakes: keeps who made it. */
    @Benchmark
    @Budget(name = "fence.checked", against = "future")
    public Object fenceChecked(Waiters waiters, Checked checked) {
        CoreFence fence = (CoreFence) checked.begin(waiters.callbacks);
        fence.published();
        fence.signal();
        fence.put();
        return fence;
    }
}
