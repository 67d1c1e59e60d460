package org.peerlane.tests.benchmarks.trace;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;
import org.peerlane.trace.ring.RingSink;

/** The same small body without a tracepoint, with one that is off, and with one that is on. */
@State(Scope.Thread)
public class TracepointBenchmark {
    /** What the body emits. */
    public record Step(int requester, long address, long bytes) implements TraceEvent {}

    private final Tracer unheard = new Tracer(System::nanoTime, new NamedLock("trace") {});
    private final Tracepoint<Step> off = unheard.point(Step.class);
    private final Tracer heard = new Tracer(System::nanoTime, new NamedLock("trace") {});
    private final Tracepoint<Step> on = heard.point(Step.class);
    private long address = 1;

    /** Somebody listens to one of the two, as the shell's {@code trace:on} makes it. */
    @Setup
    public void listen() {
        RingSink ring = new RingSink(1 << 16);
        ring.bindTracer(heard);
        heard.attach(ring);
        ring.on();
    }

    /** A few dependent operations, as the work between two tracepoints is at its smallest. */
    private long step() {
        long next = address;
        next ^= next << 13;
        next ^= next >>> 7;
        next ^= next << 17;
        address = next;
        return next;
    }

    /** The body alone. */
    @Benchmark
    public long baseline() {
        return step();
    }

    /** Nobody listens. */
    @Benchmark
    @Budget(name = "trace.off", against = "baseline", atMostExtraNanos = 1, maxBytesPerOp = 0)
    public long off() {
        long next = step();
        if (off.isOn()) {
            off.emit(new Step(0x100, next, 64));
        }
        return next;
    }

    /** The ring keeps every event. */
    @Benchmark
    @Budget(name = "trace.ring", against = "baseline")
    public long ring() {
        long next = step();
        if (on.isOn()) {
            on.emit(new Step(0x100, next, 64));
        }
        return next;
    }
}
