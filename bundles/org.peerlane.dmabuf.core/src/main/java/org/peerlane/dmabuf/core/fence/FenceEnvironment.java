package org.peerlane.dmabuf.core.fence;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.function.Predicate;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.fence.FenceEvents.FenceEnabled;
import org.peerlane.dmabuf.core.fence.FenceEvents.FenceFreed;
import org.peerlane.dmabuf.core.fence.FenceEvents.FenceInit;
import org.peerlane.dmabuf.core.fence.FenceEvents.FencePublished;
import org.peerlane.dmabuf.core.fence.FenceEvents.FenceSignaled;
import org.peerlane.dmabuf.core.fence.FenceEvents.FenceWaitEnd;
import org.peerlane.dmabuf.core.fence.FenceEvents.FenceWaitStart;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Profile;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/**
 * What all fences of one machine share: numbers of timelines, the stub, the services. One per
 * machine; each owner of fences makes its {@link CoreFences} from it.
 *
 * <p><b>Threads.</b> Any.
 */
public final class FenceEnvironment {
    /** After how long an unsignaled fence is reported if nobody says otherwise (CK-31). */
    public static final long WATCHDOG_NANOS = 10_000_000_000L;

    final Execution execution;
    final Checks checks;

    /** Whether a signaled fence forgets its issuer (FE-12). */
    final boolean detaches;

    final long watchdogNanos;

    final Tracepoint<FenceInit> initialised;
    final Tracepoint<FencePublished> published;
    final Tracepoint<FenceEnabled> enabled;
    final Tracepoint<FenceSignaled> signaled;
    final Tracepoint<FenceWaitStart> waitStart;
    final Tracepoint<FenceWaitEnd> waitEnd;
    final Tracepoint<FenceFreed> freed;

    final Checkpoint beforeClaim;
    final Checkpoint beforeLink;
    final Checkpoint beforeMark;
    final Checkpoint beforeUnlink;
    final Checkpoint beforeCallback;
    final Checkpoint beforeDone;
    final Checkpoint beforeRevive;
    final Checkpoint beforeOperation;

    /** Guards nothing but the wait of who removes a callback while callbacks run. */
    final NamedLock running;

    /** Of running: the callbacks of a fence have run. */
    final Condition ran;

    /** The next timeline; 0 is the stub's. */
    private final AtomicLong nextContext = new AtomicLong(1);

    private static final FenceOperations STUB =
            new FenceOperations() {
                @Override
                public String driverName() {
                    return "stub";
                }

                @Override
                public String timelineName(Fence fence) {
                    return "stub";
                }
            };

    /** Who makes fences here. */
    final Owners owners;

    /** The one that {@code Fences.stub} hands out. */
    final CoreFence stub;

    /** Owner of the core's own fences: the stub and containers. It never departs. */
    final CoreFences core;

    /** For a machine with the usual watchdog. */
    public FenceEnvironment(Execution execution, Tracer tracer, Checks checks, Profile profile) {
        this(execution, tracer, checks, profile, WATCHDOG_NANOS);
    }

    /**
     * @param watchdogNanos after how long a published fence that has not signaled is reported, if
     *     checks are on; 0 never
     */
    @SuppressWarnings("this-escape") // the core's fences are made last
    public FenceEnvironment(
            Execution execution,
            Tracer tracer,
            Checks checks,
            Profile profile,
            long watchdogNanos) {
        this.execution = execution;
        this.checks = checks;
        this.watchdogNanos = watchdogNanos;
        detaches = profile.atLeast(Profile.Base.V7_1);
        initialised = tracer.point(FenceInit.class);
        published = tracer.point(FencePublished.class);
        enabled = tracer.point(FenceEnabled.class);
        signaled = tracer.point(FenceSignaled.class);
        waitStart = tracer.point(FenceWaitStart.class);
        waitEnd = tracer.point(FenceWaitEnd.class);
        freed = tracer.point(FenceFreed.class);
        beforeClaim = execution.checkpoint("dmabuf.fence.signal.before-claim");
        beforeCallback = execution.checkpoint("dmabuf.fence.signal.before-callback");
        beforeDone = execution.checkpoint("dmabuf.fence.signal.before-done");
        beforeLink = execution.checkpoint("dmabuf.fence.add-callback.before-link");
        beforeMark = execution.checkpoint("dmabuf.fence.enable.before-mark");
        beforeUnlink = execution.checkpoint("dmabuf.fence.remove-callback.before-unlink");
        beforeRevive = execution.checkpoint("dmabuf.fence.get-unless-zero.before-get");
        beforeOperation = execution.checkpoint("dmabuf.fence.operation.before-call");
        running = execution.lock("dmabuf.fence.callbacks");
        ran = running.newCondition("have-run");
        owners = new Owners(execution);
        core = new CoreFences(this, "org.peerlane.dmabuf.core");
        stub = signaledAt(0);
    }

    /** {@return a fence that has signaled, at a time, or now if that is 0; with one reference} */
    CoreFence signaledAt(long nanoTime) {
        CoreFence fence = new CoreFence(core, STUB);
        fence.init(0, 0, false);
        fence.signalTimestamp(nanoTime);
        return fence;
    }

    /** The core leaves: nobody is watched any more. */
    public void close() {
        owners.list().forEach(owner -> owner.watchdog.close());
    }

    /**
     * Takes callbacks off whatever they wait for: they never run.
     *
     * @return how many there were
     */
    public int forgetCallbacks(Predicate<FenceCallback> which) {
        int count = 0;
        for (CoreFences owner : owners.list()) {
            for (CoreFence fence : owner.live.list()) {
                count += fence.unlinkAll(which);
            }
        }
        return count;
    }

    long allocateContexts(int count) {
        return nextContext.getAndAdd(count);
    }
}
