package org.peerlane.dmabuf.core.fence;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Need;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * A point of a timeline: counts as signaled once its fence and all points before it are (FE-21).
 *
 * <p><b>Life.</b> Holds its fence and the point before it. Points that have signaled are dropped
 * from the chain while somebody walks it; a chain of any length is freed without recursion.
 *
 * <p><b>Protocol.</b> {@code previous} only ever moves back, by compare and set; who reads it takes
 * a reference with {@code getUnlessZero}, and reads again if it came too late. Whoever waits for a
 * point has one callback, which sits on one unsignaled fence of the chain at a time.
 *
 * <p><b>Threads.</b> Any.
 */
final class ChainFence extends CoreFence {
    private static final VarHandle PREVIOUS;

    static {
        try {
            PREVIOUS =
                    MethodHandles.lookup().findVarHandle(ChainFence.class, "previous", Fence.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final FenceOperations OPERATIONS =
            new FenceOperations() {
                @Override
                public String driverName() {
                    return "dma_fence_chain";
                }

                @Override
                public String timelineName(Fence fence) {
                    return "unbound";
                }

                @Override
                public boolean enableSignaling(Fence fence) {
                    return ((ChainFence) fence).watch(fence.get());
                }

                @Override
                public boolean signaled(Fence fence) {
                    return ((ChainFence) fence).areSignaled();
                }

                @Override
                public void setDeadline(Fence fence, long nanoTime) {
                    for (Fence at = fence.get(); at != null; at = walk(at)) {
                        contained(at).setDeadline(nanoTime);
                    }
                }
            };

    /** Sits on one fence after the other; holds the point. */
    private final class Link extends FenceCallback {
        @Override
        public void signaled(Fence fence) {
            if (!watch(get())) {
                signal();
            }
            put();
        }
    }

    /** The point's own fence. */
    final Fence fence;

    /** The seqno of the point before it on the same timeline; 0 without one. */
    private final long previousSeqno;

    private final Link link = new Link();
    private volatile @Nullable Fence previous;

    private ChainFence(
            CoreFences owner, @Nullable Fence previous, Fence fence, long previousSeqno) {
        super(owner, OPERATIONS);
        this.previous = previous;
        this.fence = fence;
        this.previousSeqno = previousSeqno;
    }

    static ChainFence of(CoreFences maker, @Nullable Fence previous, Fence fence, long seqno) {
        if (fence instanceof ChainFence) {
            maker.report(
                    "FE-21",
                    Severity.WRONG,
                    "a chain was put into a chain; it may only come before one");
        }
        FenceEnvironment environment = maker.environment;
        long context;
        long at = seqno;
        long before = 0;
        if (previous instanceof ChainFence point
                && Long.compareUnsigned(seqno, point.seqno()) > 0) {
            context = point.context();
            before = point.seqno();
        } else {
            context = environment.allocateContexts(1);
            if (previous != null && Long.compareUnsigned(previous.seqno(), seqno) > 0) {
                at = previous.seqno(); // a point is never before what it stands for
            }
        }
        ChainFence chain = new ChainFence(environment.core, previous, fence, before);
        chain.init(context, at, true);
        return chain;
    }

    @Override
    public boolean isContainer() {
        return true;
    }

    /** {@return what a point stands for by itself, or the fence, if it is none} */
    static Fence contained(Fence at) {
        return at instanceof ChainFence point ? point.fence : at;
    }

    /**
     * {@return the point before, with one reference, or null} One that has left the chain meanwhile
     * is as good: it has signaled.
     */
    private @Nullable Fence before() {
        while (true) {
            Fence seen = previous;
            if (seen == null || seen.getUnlessZero() != null) {
                return seen;
            }
        }
    }

    /**
     * One step back, past points that have signaled, which leave the chain.
     *
     * @param at its reference ends
     * @return with one reference, or null
     */
    static @Nullable Fence walk(Fence at) {
        if (!(at instanceof ChainFence chain)) {
            at.put();
            return null;
        }
        Fence before;
        while ((before = chain.before()) != null) {
            Fence replacement;
            if (before instanceof ChainFence point) {
                if (!point.fence.isSignaled()) {
                    break;
                }
                replacement = point.before();
            } else {
                if (!before.isSignaled()) {
                    break;
                }
                replacement = null;
            }
            if (PREVIOUS.compareAndSet(chain, before, replacement)) {
                before.put(); // the chain's
            } else if (replacement != null) {
                replacement.put();
            }
            before.put();
        }
        chain.put();
        return before;
    }

    /**
     * Puts the callback on the first fence that has not signaled.
     *
     * @param head this, with a reference that ends, or goes to the callback
     * @return false: there is none
     */
    private boolean watch(Fence head) {
        for (Fence at = get(); at != null; at = walk(at)) {
            if (contained(at).addCallback(link)) {
                at.put();
                return true; // the reference is the callback's now
            }
        }
        head.put();
        return false;
    }

    private boolean areSignaled() {
        for (Fence at = get(); at != null; at = walk(at)) {
            if (!contained(at).isSignaled()) {
                at.put();
                return false;
            }
        }
        return true;
    }

    /** {@code Fences.findSeqno}. */
    static @Nullable Fence find(Fence head, long seqno) {
        if (seqno == 0) {
            return head.get();
        }
        if (!(head instanceof ChainFence chain) || Long.compareUnsigned(chain.seqno(), seqno) < 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "point %s of %s; expected one that it has reached"
                            .formatted(Long.toUnsignedString(seqno), head));
        }
        Fence at = head.get();
        while (at != null) {
            if (at.context() != chain.context()
                    || !(at instanceof ChainFence point)
                    || Long.compareUnsigned(point.previousSeqno, seqno) < 0) {
                break;
            }
            at = walk(at);
        }
        return at;
    }

    @Override
    public void published() {
        super.published();
        for (Fence at = get(); at != null; at = walk(at)) {
            FenceMerge.published(contained(at));
        }
    }

    @Override
    void released() {
        Fence before = previous;
        previous = null;
        while (before instanceof ChainFence point && point.references() == 1) {
            Fence further = point.previous;
            point.previous = null; // nobody else holds it, so nobody else walks through it
            point.put();
            before = further;
        }
        if (before != null) {
            before.put();
        }
        fence.put();
    }

    @Override
    public List<Need> needs() {
        List<Need> needs = new ArrayList<>();
        if (previous instanceof CoreFence before) {
            needs.add(new Need.Work(before));
        }
        needs.add(new Need.Work((CoreFence) fence));
        return needs;
    }
}
