package org.peerlane.testkit.dmabuf;

import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;

/**
 * What a contract suite needs of a machine: threads, and a DMA-BUF core.
 *
 * @param execution live; the suites wait on it
 * @param bundles gives each bundle, by name, its own {@code DmaBufs}
 * @param debug what there is and who broke a rule
 */
public record DmaBufMachine(
        Execution execution, Function<String, DmaBufs> bundles, DmaBufDebug debug) {
    /** {@return rules that were broken since the machine began, each with its sentence} */
    public List<String> violations() {
        return debug.violations().stream()
                .map(violation -> violation.rule() + ": " + violation.sentence())
                .toList();
    }

    /** {@return rules that were broken, by name} */
    public List<String> broken() {
        return debug.violations().stream().map(Violation::rule).toList();
    }

    /** {@return all buffers} */
    public List<BufferInfo> buffers() {
        return debug.buffers();
    }

    /** {@return an importer of its own bundle, with a pseudo device} */
    public MockImporter importer(String name, MockImporter.Kind kind) {
        return importer(new ImporterDevice(name, null, null), kind);
    }

    /** {@return an importer of its own bundle} */
    public MockImporter importer(ImporterDevice device, MockImporter.Kind kind) {
        return new MockImporter(bundles.apply("test." + device.name()), execution, device, kind);
    }

    /**
     * Does something that must come to an end, on a thread of its own.
     *
     * @param what for the message
     * @throws AssertionError it has not ended within the limit; the thread is left behind
     */
    public void within(long limitNanos, String what, Runnable body) {
        EmulatedThread thread = start("contract", body);
        until(limitNanos, what, () -> !thread.isAlive());
        join(thread);
    }

    /**
     * Waits until something is so.
     *
     * @throws AssertionError it is not within the limit
     */
    public void until(long limitNanos, String what, BooleanSupplier so) {
        long begun = execution.nanoTime();
        while (!so.getAsBoolean()) {
            if (execution.nanoTime() - begun > limitNanos) {
                throw new AssertionError(
                        "not within %d ms: %s; broken so far: %s"
                                .formatted(limitNanos / 1_000_000, what, violations()));
            }
            try {
                execution.sleep(1_000_000);
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted; waited for: " + what, e);
            }
        }
    }

    /** {@return a running thread} */
    public EmulatedThread start(String name, Runnable body) {
        return execution.start(ThreadKind.BLOCKING, name, body);
    }

    /** Waits for the end of a thread; what it threw comes out here. */
    public static void join(EmulatedThread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(thread.name() + " did not end", e);
        }
        thread.failure()
                .ifPresent(thrown -> {
                    throw new AssertionError(thread.name() + " threw", thrown);
                });
    }
}
