package org.peerlane.dmabuf.core.fence;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Awaited;
import org.peerlane.dmabuf.core.check.Need;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Several fences as one: signals when all have, or the first has (FE-20).
 *
 * <p><b>Life.</b> Holds its members until it is freed. Nothing is registered with them before
 * somebody waits; each callback that waits on a member holds the array.
 *
 * <p><b>Protocol.</b> {@code pending} counts what is missing; whoever takes it to 0 signals. The
 * error is that of the member that was first to signal with one.
 *
 * <p><b>Threads.</b> Any; it signals on the thread that signals the last member.
 */
final class ArrayFence extends CoreFence {
    private static final VarHandle PENDING;
    private static final VarHandle FIRST_ERROR;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            PENDING = lookup.findVarHandle(ArrayFence.class, "pending", int.class);
            FIRST_ERROR = lookup.findVarHandle(ArrayFence.class, "firstError", Errno.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final FenceOperations OPERATIONS =
            new FenceOperations() {
                @Override
                public String driverName() {
                    return "dma_fence_array";
                }

                @Override
                public String timelineName(Fence fence) {
                    return "unbound";
                }

                @Override
                public boolean enableSignaling(Fence fence) {
                    return ((ArrayFence) fence).watchMembers();
                }

                @Override
                public boolean signaled(Fence fence) {
                    return ((ArrayFence) fence).areSignaled();
                }

                @Override
                public void setDeadline(Fence fence, long nanoTime) {
                    for (Fence member : ((ArrayFence) fence).members) {
                        member.setDeadline(nanoTime);
                    }
                }
            };

    private final class Link extends FenceCallback {
        @Override
        public void signaled(Fence member) {
            ended(member);
            put();
        }
    }

    final Fence[] members;
    private final boolean any;

    @SuppressWarnings("unused") // through PENDING
    private volatile int pending;

    private volatile @Nullable Errno firstError;

    private ArrayFence(CoreFences owner, Fence[] members, boolean any) {
        super(owner, OPERATIONS);
        this.members = members;
        this.any = any;
        pending = any ? 1 : members.length;
    }

    static ArrayFence of(
            CoreFences maker, List<Fence> members, long context, long seqno, boolean any) {
        if (members.isEmpty()) {
            maker.report("FE-20", Severity.WRONG, "an array of no fences was asked for");
            throw new ErrnoException(Errno.EINVAL, "an array of no fences");
        }
        for (Fence member : members) {
            if (member.isContainer()) {
                maker.report(
                        "FE-20",
                        Severity.WRONG,
                        "an array was made of %s, a container; merge flattens them"
                                .formatted(member));
            }
        }
        ArrayFence array =
                new ArrayFence(maker.environment.core, members.toArray(Fence[]::new), any);
        array.init(context, seqno, false);
        return array;
    }

    @Override
    public boolean isContainer() {
        return true;
    }

    /** {@return whether it is not signaled yet} */
    private boolean watchMembers() {
        for (Fence member : members) {
            get();
            if (!member.addCallback(new Link())) {
                boolean over = count(member);
                put();
                if (over) {
                    takeError();
                    return false;
                }
            }
        }
        return true;
    }

    private void ended(Fence member) {
        if (count(member)) {
            takeError();
            signal();
        }
    }

    /** {@return whether nothing is missing now, and this member was the last that was} */
    private boolean count(Fence member) {
        Errno why = member.error();
        if (why != null) {
            FIRST_ERROR.compareAndSet(this, null, why);
        }
        return (int) PENDING.getAndAdd(this, -1) == 1;
    }

    private void takeError() {
        Errno why = firstError;
        if (why != null && !isEnded()) {
            setError(why);
        }
    }

    private boolean areSignaled() {
        int missing = any ? 1 : members.length;
        Errno why = null;
        for (Fence member : members) {
            if (member.isSignaled()) {
                why = why == null ? member.error() : why;
                if (--missing == 0) {
                    if (why != null) {
                        FIRST_ERROR.compareAndSet(this, null, why);
                    }
                    takeError();
                    return true;
                }
            }
        }
        return false;
    }

    @Override
    public void published() {
        super.published();
        for (Fence member : members) {
            FenceMerge.published(member);
        }
    }

    @Override
    void released() {
        for (Fence member : members) {
            member.put();
        }
    }

    @Override
    public List<Need> needs() {
        List<Awaited> works =
                Arrays.stream(members).<Awaited>map(member -> (CoreFence) member).toList();
        return any
                ? List.of(new Need.Either(works))
                : works.stream().<Need>map(Need.Work::new).toList();
    }
}
