package org.peerlane.dmabuf.core.fence;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.trace.api.Tracer;

/** A machine with fences and an issuer of them, for tests. */
final class FenceMachine {
    static final long SECOND = 1_000_000_000L;

    final Execution execution;
    final Checks checks;
    final FenceEnvironment environment;
    final CoreFences fences;
    final Issuer issuer = new Issuer();
    final long context;
    private long seqno;

    FenceMachine(Execution execution) {
        this(execution, true, "7.3");
    }

    FenceMachine(Execution execution, boolean checking, String profile) {
        this.execution = execution;
        Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        checks = new Checks(execution, tracer, checking);
        environment = new FenceEnvironment(execution, tracer, checks, Profile.parse(profile));
        fences = new CoreFences(environment, "gpu");
        context = fences.allocateContexts(1);
    }

    /** {@return the next fence of one timeline} */
    CoreFence next() {
        return (CoreFence) fences.create(issuer, context, ++seqno);
    }

    /** {@return a fence of a timeline of its own} */
    CoreFence alone() {
        return (CoreFence) fences.create(issuer, fences.allocateContexts(1), 1);
    }

    /** {@return the rules that were broken, in order} */
    List<String> broken() {
        return checks.violations().latest().stream().map(Violation::rule).toList();
    }

    /** {@return what was reported last} */
    String lastSentence() {
        return checks.violations().latest().getLast().sentence();
    }

    /** An issuer that writes down how it is called. */
    static class Issuer implements FenceOperations {
        final List<String> calls = new ArrayList<>();

        /** What enableSignaling answers. */
        boolean pending = true;

        /** What signaled answers. */
        boolean done;

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
            calls.add("enable");
            return pending;
        }

        @Override
        public boolean signaled(Fence fence) {
            return done;
        }

        @Override
        public void setDeadline(Fence fence, long nanoTime) {
            calls.add("deadline " + nanoTime);
        }
    }

    /** An issuer that is told of the last reference. */
    static final class ReleasingIssuer extends Issuer implements FenceOperations.Releasing {
        @Override
        public void release(Fence fence) {
            calls.add("release");
        }
    }

    /** A callback that counts how often it ran. */
    static final class Counter extends FenceCallback {
        volatile int runs;
        private final Runnable action;

        Counter() {
            this(() -> {});
        }

        Counter(Runnable action) {
            this.action = action;
        }

        @Override
        public void signaled(Fence fence) {
            runs++;
            action.run();
        }
    }
}
