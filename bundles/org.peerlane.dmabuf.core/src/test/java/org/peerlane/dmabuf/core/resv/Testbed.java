package org.peerlane.dmabuf.core.resv;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.fence.CoreFences;
import org.peerlane.dmabuf.core.fence.FenceEnvironment;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.Profile;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/** Reservations and fences with their checks on. */
final class Testbed {
    final Execution execution;
    final Tracer tracer;
    final Checks checks;
    final CoreFences fences;
    final ReservationClass kind;
    final AtomicInteger freed = new AtomicInteger();
    final List<String> deadlines = new ArrayList<>();
    private final List<EmulatedThread> threads = new ArrayList<>();

    Testbed(Execution execution) {
        this.execution = execution;
        tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        checks = new Checks(execution, tracer, true);
        FenceEnvironment environment =
                new FenceEnvironment(execution, tracer, checks, Profile.DEFAULT, 0);
        fences = new CoreFences(environment, "test.issuer");
        kind = new ReservationClass(execution, tracer, checks, fences);
    }

    /** Issues fences and counts those that are freed. */
    private final class Issuer implements FenceOperations, FenceOperations.Releasing {
        @Override
        public String driverName() {
            return "gpu0";
        }

        @Override
        public String timelineName(Fence fence) {
            return "copy";
        }

        @Override
        public void setDeadline(Fence fence, long nanoTime) {
            deadlines.add(fence.context() + " by " + nanoTime);
        }

        @Override
        public void release(Fence fence) {
            freed.incrementAndGet();
        }
    }

    private final Issuer issuer = new Issuer();

    CoreReservation reservation(String name) {
        return kind.newReservation(name, "test.exporter", 17);
    }

    CoreAcquireContext acquire() {
        return kind.acquire("test.importer");
    }

    /** {@return a fence on a timeline, one reference} */
    Fence fence(long context, long seqno) {
        return fences.create(issuer, context, seqno);
    }

    /** {@return a fence on a timeline that counts in 64 bits, one reference} */
    Fence fence64(long context, long seqno) {
        Fence fence = fences.allocate(issuer);
        fences.init64(fence, context, seqno);
        return fence;
    }

    /** {@return a fence on a timeline of its own} */
    Fence fence() {
        return fence(fences.allocateContexts(1), 1);
    }

    EmulatedThread start(String name, Runnable body) {
        EmulatedThread thread = execution.start(ThreadKind.BLOCKING, name, body);
        threads.add(thread);
        return thread;
    }

    /** Waits for all threads, and passes on what one of them threw. */
    void join() throws InterruptedException {
        for (EmulatedThread thread : threads) {
            thread.join();
        }
        for (EmulatedThread thread : threads) {
            thread.failure().ifPresent(Testbed::rethrow);
        }
    }

    private static void rethrow(Throwable failure) {
        throw new AssertionError("in a thread: " + failure, failure);
    }

    /** {@return what was reported, as rule and sentence} */
    List<String> violations() {
        return checks.violations().latest().stream()
                .map(violation -> violation.rule() + ": " + violation.sentence())
                .toList();
    }

    List<String> rules() {
        return checks.violations().latest().stream().map(Violation::rule).toList();
    }

    /** {@return the list that the events of reservations come to from now on} */
    List<TraceEvent> trace() {
        List<TraceEvent> events = new CopyOnWriteArrayList<>();
        tracer.attach(
                new TraceSink() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> wanted) {
                        return wanted.getEnclosingClass() == ReservationEvents.class;
                    }

                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        events.add(event);
                    }
                });
        return events;
    }
}
