package org.peerlane.dmabuf.core.fence;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Awaited;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.check.Need;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * A fence: see {@link Fence} for its life, {@link SignalQueue} for how it ends and runs callbacks,
 * {@link HeldFence} for who holds it.
 *
 * <p><b>Protocol of the rest.</b> Whoever wins the claim in {@link SignalQueue} writes the error
 * and then the time; a reader who sees that it has ended but no time yet is within a few
 * instructions of it and looks again. {@code flags} only ever gain bits, atomically: one thread
 * asks the issuer to enable signaling, one thread lists the fence with its owner. The fence is
 * listed when somebody waits for it or it is published; before that only its issuer knows it.
 * Whoever lists it looks afterwards whether it has ended or the owner has left, and whoever ends it
 * or departs looks afterwards whether it is listed, so one of the two sees the other.
 *
 * <p><b>Cost.</b> One object; no lock.
 */
@SuppressWarnings("NullAway.Init") // operations: null once the issuer may have left
public class CoreFence extends HeldFence implements Checks.Unpublished, Awaited {
    /** What a fence answers whose issuer may have left (FE-12). */
    static final String DETACHED_DRIVER = "detached-driver";

    /** What a fence answers whose issuer may have left (FE-12). */
    static final String SIGNALED_TIMELINE = "signaled-timeline";

    private static final int INITIALISED = 1;
    private static final int WIDE = 2;
    private static final int ENABLED = 4;
    private static final int LISTED = 8;
    private static final int PUBLISHED = 16;

    private static final VarHandle FLAGS;
    private static final VarHandle TIMESTAMP;
    private static final VarHandle OPERATIONS;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            FLAGS = lookup.findVarHandle(CoreFence.class, "flags", int.class);
            OPERATIONS = lookup.findVarHandle(CoreFence.class, "operations", FenceOperations.class);
            TIMESTAMP = lookup.findVarHandle(CoreFence.class, "timestamp", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final CoreFences owner;
    private volatile @Nullable FenceOperations operations;
    private volatile int flags;
    private long context;
    private long seqno;
    private volatile @Nullable Errno error;
    private volatile long timestamp; // 0: not yet
    private long publishedAt; // written before PUBLISHED

    /** Where it is listed, if it is; and in which slot: written before. */
    private volatile LiveFences.@Nullable Chunk chunk;

    private int slot;

    /** Kept only while checks are on. */
    private @Nullable FenceWatch watch;

    CoreFence(CoreFences owner, FenceOperations operations) {
        this.owner = owner;
        OPERATIONS.set(this, operations); // nobody else knows it yet
        if (environment().checks.isOn()) {
            watch = new FenceWatch();
        }
    }

    @Override
    final FenceEnvironment environment() {
        return owner.environment;
    }

    /** Puts it on a timeline: {@code Fences.init}. */
    final void init(long onContext, long at, boolean wide) {
        if ((flags & INITIALISED) != 0) {
            throw misuse("FE-64", "was put on a timeline again; a fence is on one for life");
        }
        context = onContext;
        seqno = at;
        FLAGS.setRelease(this, wide ? INITIALISED | WIDE : INITIALISED);
        FenceEnvironment environment = environment();
        FenceWatch watched = watch;
        if (watched != null) {
            watched.timeline = owner.timeline(onContext);
            watched.timeline.made(at, wide);
            environment.checks.initialised(this);
        }
        if (environment.initialised.isOn()) {
            environment.initialised.emit(new FenceEvents.FenceInit(owner.name(), context, seqno));
        }
    }

    @Override
    public final long context() {
        return context;
    }

    @Override
    public final long seqno() {
        return seqno;
    }

    @Override
    public final boolean isSeqno64() {
        return (flags & WIDE) != 0;
    }

    /** {@return the bundle that made it} */
    public final String ownerName() {
        return owner.name();
    }

    /** {@return whether others can see it (FE-41)} */
    public final boolean isPublished() {
        return (flags & PUBLISHED) != 0;
    }

    /** {@return when it was published; meaningful once {@link #isPublished}} */
    public final long publishedAt() {
        return publishedAt;
    }

    @Override
    public final String driverName() {
        FenceOperations issuer = enterOperations();
        if (issuer == null) {
            return DETACHED_DRIVER;
        }
        try {
            return issuer.driverName();
        } finally {
            owner.gate.leave();
        }
    }

    @Override
    public final String timelineName() {
        FenceOperations issuer = enterOperations();
        if (issuer == null) {
            return SIGNALED_TIMELINE;
        }
        try {
            return issuer.timelineName(this);
        } finally {
            owner.gate.leave();
        }
    }

    @Override
    public boolean isContainer() {
        return false;
    }

    /** {@return the issuer's operations, with the gate entered; null: not to be called any more} */
    private @Nullable FenceOperations enterOperations() {
        FenceOperations issuer = operations;
        if (issuer == null || !owner.gate.enter()) {
            return null;
        }
        environment().beforeOperation.reached();
        return issuer;
    }

    // ---- the end of its life

    @Override
    final void free() {
        if (!isEnded() && (isAwaited() || isPublished())) {
            report(
                    "CK-38",
                    Severity.FATAL,
                    "lost its last holder unsignaled, with %s; it now signals EDEADLK"
                            .formatted(isAwaited() ? "somebody waiting" : "others knowing it"));
            end(0, Errno.EDEADLK);
        }
        unlist();
        FenceOperations issuer = operations;
        if (issuer instanceof FenceOperations.Releasing releasing && enterOperations() != null) {
            try {
                releasing.release(this);
            } finally {
                owner.gate.leave();
            }
        }
        released();
        FenceEnvironment environment = environment();
        if (environment.freed.isOn()) {
            environment.freed.emit(new FenceEvents.FenceFreed(owner.name(), context, seqno));
        }
    }

    /** The last holder has let go: for containers. */
    void released() {}

    // ---- signal

    @Override
    public final boolean signal() {
        return end(0, null);
    }

    @Override
    public final boolean signalTimestamp(long nanoTime) {
        return end(nanoTime, null);
    }

    /** The owner has left: ends it in its name, unless it has. */
    public final boolean abandon(Errno why) {
        if (isEnded() || (flags & INITIALISED) == 0 && !isAwaited() && !isPublished()) {
            operations = null;
            return false;
        }
        operations = null;
        FenceWatch watched = watch;
        if (watched != null) {
            watched.timeline = null; // the order of what is left does not matter any more
        }
        return end(0, why);
    }

    private boolean end(long nanoTime, @Nullable Errno forced) {
        if ((flags & INITIALISED) == 0) {
            throw misuse("FE-64", "signaled before it was put on a timeline");
        }
        FenceCallback callbacks = claim();
        if (isLost(callbacks)) {
            isSignaledBit();
            return false;
        }
        if (forced != null && error == null) {
            error = forced;
        }
        FenceEnvironment environment = environment();
        long time = nanoTime != 0 ? nanoTime : environment.execution.nanoTime();
        FenceWatch watched = watch;
        if (watched != null && watched.timeline != null) {
            // before anybody can see that it has ended, and signal the next of the timeline
            watched.timeline.signaled(seqno, isSeqno64());
        }
        TIMESTAMP.setRelease(this, time != 0 ? time : 1);
        if (watched != null) {
            watched.lookAtOverwritten(this);
            watched.lookAtEnd();
        }
        if (environment.signaled.isOn()) {
            environment.signaled.emit(
                    new FenceEvents.FenceSignaled(owner.name(), context, seqno, timestamp, error));
        }
        if (callbacks != null) {
            run(callbacks);
        }
        if (!isIssuerNeeded()) {
            OPERATIONS.setRelease(this, null);
            unlist();
        } else if ((flags & LISTED) == 0) {
            list(LISTED);
        }
        return true;
    }

    /** {@return whether its operations may be called after it has ended (FE-12)} */
    private boolean isIssuerNeeded() {
        FenceOperations issuer = operations;
        return issuer != null && (!environment().detaches || OperationsTraits.of(issuer).needed());
    }

    /** {@return whether it has ended, with error and time to be seen} */
    final boolean isSignaledBit() {
        if (!isEnded()) {
            return false;
        }
        for (int spins = 0; timestamp == 0; spins++) {
            lookAgain(spins);
        }
        return true;
    }

    @Override
    public final void setError(Errno why) {
        if (isSignaledBit()) {
            throw misuse("CK-39", "was given the error " + why + " after it had signaled");
        }
        error = why;
    }

    @Override
    public final int status() {
        if (!isSignaled()) {
            return 0;
        }
        Errno why = error;
        return why == null ? 1 : -why.number();
    }

    @Override
    public final @Nullable Errno error() {
        return isSignaledBit() ? error : null;
    }

    @Override
    public final long timestamp() {
        return isSignaledBit() ? timestamp : 0;
    }

    @Override
    public final boolean isSignaled() {
        if (isSignaledBit()) {
            return true;
        }
        FenceOperations issuer = operations;
        if (issuer == null || !OperationsTraits.of(issuer).polls) {
            return owner.abandonedIfDeparted(this);
        }
        if (enterOperations() == null) {
            return owner.abandonedIfDeparted(this) || isSignaledBit();
        }
        boolean ended;
        try {
            environment().checks.enterAtomic();
            ended = issuer.signaled(this);
        } finally {
            environment().checks.leaveAtomic();
            owner.gate.leave();
        }
        if (ended) {
            signal();
        }
        return ended;
    }

    // ---- callbacks

    @Override
    public final boolean addCallback(FenceCallback callback) {
        if (callback.queue() != null) {
            throw misuse(
                    "CK-41",
                    "was given a callback of "
                            + callback.getClass().getName()
                            + " that waits for a fence already");
        }
        if (enable() && link(callback)) {
            return true;
        }
        isSignaledBit(); // error and time are there to be seen, as after a wait
        return false;
    }

    @Override
    public final boolean removeCallback(FenceCallback callback) {
        return unlink(callback);
    }

    @Override
    public final void enableSignaling() {
        enable();
    }

    /** Somebody waits. {@return false if it has signaled} */
    final boolean enable() {
        if ((flags & ENABLED) == 0) {
            if ((flags & INITIALISED) == 0) {
                throw misuse("FE-64", "was waited for before it was put on a timeline");
            }
            list(ENABLED | LISTED);
        }
        return !isSignaledBit();
    }

    /**
     * Gains flags; whoever brings in LISTED lists it, whoever brings in ENABLED asks the issuer.
     */
    private void list(int gained) {
        environment().beforeMark.reached();
        int before = (int) FLAGS.getAndBitwiseOr(this, gained);
        if ((gained & ~before & LISTED) != 0) {
            owner.live.add(this);
            if (owner.abandonedIfDeparted(this) || isEnded() && !isIssuerNeeded()) {
                unlist();
            }
        }
        if ((gained & ~before & ENABLED) != 0 && !isEnded()) {
            askToSignal();
        }
    }

    private void askToSignal() {
        FenceEnvironment environment = environment();
        if (environment.enabled.isOn()) {
            environment.enabled.emit(new FenceEvents.FenceEnabled(owner.name(), context, seqno));
        }
        FenceOperations issuer = operations;
        if (issuer == null || !OperationsTraits.of(issuer).enables || enterOperations() == null) {
            return;
        }
        boolean pending;
        try {
            environment.checks.enterAtomic();
            pending = issuer.enableSignaling(this);
        } finally {
            environment.checks.leaveAtomic();
            owner.gate.leave();
        }
        if (!pending) {
            signal();
        }
    }

    /** For {@link LiveFences}: where it is about to be listed. */
    final void place(LiveFences.Chunk in, int index) {
        slot = index;
        chunk = in;
    }

    private void unlist() {
        LiveFences.Chunk in = chunk;
        if (in != null) {
            in.remove(slot, this);
        }
    }

    /**
     * Others can see it from now on: it is in a reservation or a sync file (FE-41). Again does
     * nothing.
     */
    public void published() {
        if ((flags & PUBLISHED) != 0) {
            return;
        }
        if ((flags & INITIALISED) == 0) {
            throw misuse("FE-64", "was published before it was put on a timeline");
        }
        FenceEnvironment environment = environment();
        publishedAt = environment.execution.nanoTime();
        list(PUBLISHED | LISTED);
        if (environment.published.isOn()) {
            environment.published.emit(
                    new FenceEvents.FencePublished(owner.name(), context, seqno));
        }
        if (watch != null) {
            owner.watchdog.published();
        }
    }

    /**
     * It has taken the place of one before it on its timeline, in a reservation: that one must end
     * before it, or is forgotten while it runs (RV-13). Keeps nothing while checks are off.
     *
     * @param reservation for the report
     */
    public void overwrote(Fence earlier, String reservation) {
        FenceWatch watched = watch;
        if (watched != null && earlier instanceof CoreFence before && !before.isEnded()) {
            watched.overwrote(before, reservation);
            if (isEnded()) {
                watched.lookAtOverwritten(this);
            }
        }
    }

    /**
     * Has something looked at when this ends, on the thread that ends it and before callbacks run.
     * Does nothing while checks are off, or once it has ended.
     */
    public void whenItEnds(Runnable look) {
        FenceWatch watched = watch;
        if (watched != null && !isEnded()) {
            watched.whenItEnds(look);
        }
    }

    // ---- waiting

    @Override
    public final long waitTimeout(boolean interruptible, long timeoutNanos) {
        return FenceWait.one(this, interruptible, timeoutNanos);
    }

    /** {@return the issuer's own way of waiting, with the gate entered, or null} */
    final FenceOperations.@Nullable Waiting enterWaiting() {
        return operations instanceof FenceOperations.Waiting waiting && enterOperations() != null
                ? waiting
                : null;
    }

    @Override
    public void setDeadline(long nanoTime) {
        if (isSignaledBit()) {
            return;
        }
        FenceOperations issuer = enterOperations();
        if (issuer != null) {
            try {
                issuer.setDeadline(this, nanoTime);
            } finally {
                owner.gate.leave();
            }
        }
    }

    // ---- reports

    @Override
    public final boolean isUnpublished() {
        return !isPublished() && !isEnded() && references() != 0;
    }

    @Override
    public final String describe() {
        return toString();
    }

    @Override
    public final String forPeople() {
        String name =
                "fence %s/%s#%s of %s"
                        .formatted(
                                driverName(),
                                timelineName(),
                                Long.toUnsignedString(seqno),
                                owner.name());
        if (isEnded()) {
            return name + " (signaled)";
        }
        long age = environment().execution.nanoTime() - publishedAt;
        return isPublished()
                ? name + " (unsignaled, %.1f s old)".formatted(age / 1e9)
                : name + " (unsignaled)";
    }

    @Override
    public final String owner() {
        return owner.name();
    }

    @Override
    public final boolean isOver() {
        return isEnded();
    }

    @Override
    public List<Need> needs() {
        FenceWatch watched = watch;
        Timeline timeline = watched == null ? null : watched.timeline;
        return timeline == null ? List.of() : timeline.needs();
    }

    /** {@return what the checks know of it; null while they are off} */
    final @Nullable FenceWatch watch() {
        return watch;
    }

    final void report(String rule, Severity severity, String what) {
        environment()
                .checks
                .violations()
                .report(rule, severity, owner.name(), 0, 0, 0, this + " " + what);
    }

    @Override
    final IllegalStateException misuse(String rule, String what) {
        report(rule, rule.equals("CK-39") ? Severity.WRONG : Severity.FATAL, what);
        return new IllegalStateException(this + " " + what);
    }

    @Override
    public String toString() {
        return "fence %d:%s of %s".formatted(context, Long.toUnsignedString(seqno), owner.name());
    }

    /** {@return {@code EINVAL} for a limit below 0 (FE-10)} */
    static ErrnoException negative(long timeoutNanos) {
        return new ErrnoException(
                Errno.EINVAL, "a limit of %d ns; expected 0 or more".formatted(timeoutNanos));
    }
}
