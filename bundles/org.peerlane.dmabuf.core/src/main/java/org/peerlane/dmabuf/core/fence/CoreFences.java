package org.peerlane.dmabuf.core.fence;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Need;
import org.peerlane.dmabuf.core.check.WorkerPool;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The fences of one owner: a bundle.
 *
 * <p><b>Life.</b> Until {@link #depart}: then every fence of the owner that somebody can see has
 * signaled, with an error if it had not before; the owner's {@link FenceOperations} are not called
 * any more; fences that it makes after that signal as soon as somebody waits. Arrays and chains
 * need no code of their owner's and signal when their members do.
 *
 * <p><b>Threads.</b> Any, without a lock.
 */
public final class CoreFences implements Fences {
    /** With as many timelines as this, those that are not in use are forgotten by the checks. */
    private static final int TIMELINES = 1 << 16;

    final FenceEnvironment environment;
    final LiveFences live;
    final OperationsGate gate;
    final FenceWatchdog watchdog;
    private final String name;
    private volatile Errno departed = Errno.ENODEV;

    /** While checks are on: what is known of each timeline. */
    private final ConcurrentHashMap<Long, Timeline> timelines = new ConcurrentHashMap<>();

    /** While checks are on: who signals. */
    private final ConcurrentHashMap<String, WorkerPool> pools = new ConcurrentHashMap<>();

    /** The timeline asked for last: mostly it is the next one too. */
    private volatile @Nullable Timeline recent;

    /**
     * @param name the bundle, for reports
     */
    @SuppressWarnings("this-escape") // the watchdog looks at it later
    public CoreFences(FenceEnvironment environment, String name) {
        this.environment = environment;
        this.name = name;
        live = new LiveFences(environment.execution);
        gate = new OperationsGate(environment.execution);
        watchdog = new FenceWatchdog(this);
        environment.owners.add(this);
    }

    /** {@return the owner} */
    public String name() {
        return name;
    }

    @Override
    public long allocateContexts(int count) {
        if (count < 1) {
            throw new ErrnoException(
                    Errno.EINVAL, "%d timelines; expected at least 1".formatted(count));
        }
        return environment.allocateContexts(count);
    }

    @Override
    public Fence allocate(FenceOperations operations) {
        return new CoreFence(this, Objects.requireNonNull(operations, "operations"));
    }

    @Override
    public void init(Fence fence, long context, long seqno) {
        own(fence).init(context, seqno, false);
    }

    @Override
    public void init64(Fence fence, long context, long seqno) {
        own(fence).init(context, seqno, true);
    }

    @Override
    public Fence create(FenceOperations operations, long context, long seqno) {
        CoreFence fence = new CoreFence(this, Objects.requireNonNull(operations, "operations"));
        fence.init(context, seqno, false);
        return fence;
    }

    private CoreFence own(Fence fence) {
        if (fence instanceof CoreFence mine && mine.owner == this) {
            return mine;
        }
        throw new IllegalArgumentException(
                "%s was not allocated by the fences of %s".formatted(fence, name));
    }

    @Override
    public Fence stub() {
        return environment.stub.get();
    }

    @Override
    public boolean isLater(Fence a, Fence b) {
        if (a.context() != b.context()) {
            report(
                    "FE-3",
                    Severity.WRONG,
                    "%s and %s are on two timelines: neither is later".formatted(a, b));
            return false;
        }
        return Timeline.isLater(a.seqno(), b.seqno(), a.isSeqno64());
    }

    @Override
    public Fence array(List<Fence> members, long context, long seqno, boolean any) {
        return ArrayFence.of(this, members, context, seqno, any);
    }

    @Override
    public Fence chain(@Nullable Fence previous, Fence fence, long seqno) {
        return ChainFence.of(this, previous, fence, seqno);
    }

    @Override
    public @Nullable Fence findSeqno(Fence head, long seqno) {
        return ChainFence.find(head, seqno);
    }

    @Override
    public void unwrap(Fence fence, Consumer<Fence> visitor) {
        FenceMerge.unwrap(fence, visitor);
    }

    @Override
    public Fence merge(List<Fence> fences) {
        return FenceMerge.merge(this, fences);
    }

    @Override
    public int waitAny(List<Fence> fences, boolean interruptible, long timeoutNanos) {
        return FenceWait.any(environment, name, fences, interruptible, timeoutNanos);
    }

    @Override
    public boolean beginSignalling() {
        return environment.checks.beginSignalling();
    }

    @Override
    public void endSignalling(boolean cookie) {
        environment.checks.endSignalling(cookie);
    }

    @Override
    public void mightAllocate(String what) {
        environment.checks.mightAllocate(name, what);
    }

    @Override
    public void mightSleep(String what) {
        environment.checks.mightSleep(name, what);
    }

    @Override
    public void completionNeeds(long context, Reservation reservation) {
        if (environment.checks.isOn()) {
            timeline(context).declare(new Need.Lock(reservation, true));
        }
    }

    @Override
    public void signaledBy(long context, String pool) {
        if (environment.checks.isOn()) {
            timeline(context).declare(new Need.Worker(pool(pool)));
        }
    }

    @Override
    public void joinPool(String pool) {
        if (environment.checks.isOn()) {
            pool(pool).join();
        }
    }

    @Override
    public void leavePool(String pool) {
        if (environment.checks.isOn()) {
            pool(pool).leave();
        }
    }

    private WorkerPool pool(String poolName) {
        return pools.computeIfAbsent(
                poolName, key -> new WorkerPool("pool %s of %s".formatted(key, name)));
    }

    void report(String rule, Severity severity, String sentence) {
        environment.checks.violations().report(rule, severity, name, 0, 0, 0, sentence);
    }

    /** For fences while checks are on. */
    Timeline timeline(long context) {
        Timeline last = recent;
        if (last != null && last.context() == context) {
            return last;
        }
        if (timelines.size() >= TIMELINES) {
            timelines.values().removeIf(timeline -> !timeline.isDeclared());
        }
        Timeline found =
                timelines.computeIfAbsent(context, key -> new Timeline(environment, name, key));
        recent = found;
        return found;
    }

    /**
     * {@return the owner's unsignaled fences that others know of or wait for, by timeline and in
     * its order}
     */
    public List<CoreFence> unsignaled() {
        List<CoreFence> found = new ArrayList<>();
        for (CoreFence fence : live.list()) {
            if (!fence.isEnded()) {
                found.add(fence);
            }
        }
        found.sort(CoreFences::inOrder);
        return found;
    }

    private static int inOrder(CoreFence a, CoreFence b) {
        int contexts = Long.compareUnsigned(a.context(), b.context());
        if (contexts != 0) {
            return contexts;
        }
        if (a.isSeqno64()) {
            return Long.compareUnsigned(a.seqno(), b.seqno());
        }
        return Integer.compare((int) a.seqno() - (int) b.seqno(), 0);
    }

    /**
     * The owner leaves: signals what is not signaled, with an error, and forgets its operations.
     *
     * @param why the error
     * @return how many had not signaled
     */
    public int depart(Errno why) {
        departed = why;
        gate.close();
        List<CoreFence> left = live.list();
        left.sort(CoreFences::inOrder);
        int count = 0;
        for (CoreFence fence : left) {
            count += fence.abandon(why) ? 1 : 0;
        }
        watchdog.close();
        timelines.clear();
        pools.clear();
        recent = null;
        return count;
    }

    /**
     * {@return whether no thread is inside the owner's operations any more} After {@link #depart}.
     *
     * @param limitNanos how long to wait
     * @throws InterruptedException while waiting
     */
    public boolean awaitDeparted(long limitNanos) throws InterruptedException {
        return gate.awaitEmpty(limitNanos);
    }

    /** {@return whether the owner has left; then the fence has signaled now} */
    boolean abandonedIfDeparted(CoreFence fence) {
        if (!gate.isClosed()) {
            return false;
        }
        fence.abandon(departed);
        return true;
    }

    @Override
    public String toString() {
        return "fences of " + name;
    }
}
