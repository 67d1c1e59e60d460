package org.peerlane.dmabuf.core.resv;

import java.io.Serial;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation.FenceVisitor;
import org.peerlane.dmabuf.core.fence.CoreFence;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The fences of a reservation, each under a class. Kernel counterpart: {@code struct
 * dma_resv_list}.
 *
 * <p><b>Layout.</b> A slot is one cell per class, at most one of them filled: which one is the
 * fence's class. So one reference tells both, and adding a fence makes no object. Whoever
 * overwrites a fence by one of a stronger class fills the new cell before it empties the old, and
 * readers go from the weakest class to the strongest: they see one of the two. Every other change
 * that would move fences makes a new array.
 *
 * <p><b>Threads.</b> Changes: whoever holds the reservation. Reading: any, unlocked; such a reader
 * takes a reference to each fence before it looks at it, and one whose last holder has let go
 * meanwhile has left the list.
 */
@SuppressWarnings("ReferenceEquality") // the very array, the very fence
final class FenceList {
    /** As many as the kernel's allocator gives in one piece. */
    static final int MOST = 1 << 19;

    private static final FenceUsage[] USAGES = FenceUsage.values();
    private static final int CELLS = USAGES.length;
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(Fence[].class);

    /** No slot is left. */
    static final class NoSlotException extends RuntimeException {
        @Serial private static final long serialVersionUID = 1;
    }

    private final Checkpoint read;
    private final Checkpoint waited;

    /** Whether to let others run between the looks at two cells, and between filling them. */
    private final boolean simulated;

    /** A multiple of {@link #CELLS}. Its cells are written with release. */
    private volatile @Nullable Fence[] cells = new Fence[0];

    /** Adds that are sure; there are at least as many empty slots. Guarded by the reservation. */
    private int reserved;

    FenceList(Checkpoint read, Checkpoint waited, boolean simulated) {
        this.simulated = simulated;
        this.read = read;
        this.waited = waited;
    }

    int reserved() {
        return reserved;
    }

    void forgetReserved() {
        reserved = 0;
    }

    /** Makes sure of that many adds; what has signaled goes. */
    void reserve(int count) {
        if (count > MOST) {
            throw new ErrnoException(
                    Errno.ENOMEM, count + " slots, expected at most " + MOST + " in one piece");
        }
        int empty = dropSignaled();
        if (empty < count) {
            grow(count);
        }
        reserved = count;
    }

    private int dropSignaled() {
        @Nullable Fence[] now = cells;
        int empty = now.length / CELLS;
        for (int at = 0; at < now.length; at++) {
            Fence fence = now[at];
            if (fence == null) {
                continue;
            }
            if (fence.isSignaled()) {
                CELL.setRelease(now, at, null);
                fence.put();
            } else {
                empty--;
            }
        }
        return empty;
    }

    private void grow(int count) {
        @Nullable Fence[] now = cells;
        int kept = 0;
        for (Fence fence : now) {
            kept += fence == null ? 0 : 1;
        }
        int slots = Integer.highestOneBit(2 * (kept + count) - 1);
        @Nullable Fence[] grown = new Fence[slots * CELLS];
        int slot = 0;
        for (int at = 0; at < now.length; at++) {
            if (now[at] != null) {
                grown[slot++ * CELLS + at % CELLS] = now[at];
            }
        }
        cells = grown;
    }

    /**
     * Adds a fence, and takes a reference of it.
     *
     * @return the fence that it overwrote, whose reference is the caller's now; or null
     * @throws NoSlotException no slot is left, and nothing has changed
     */
    @Nullable Fence add(Fence fence, FenceUsage usage) {
        @Nullable Fence[] now = cells;
        int free = -1;
        for (int slot = 0; slot < now.length; slot += CELLS) {
            int at = filled(now, slot);
            if (at < 0) {
                free = free < 0 ? slot : free;
                continue;
            }
            Fence old = now[at];
            if (old != null && gives(old, at - slot, fence, usage)) {
                put(now, slot + usage.ordinal(), at, fence);
                return old;
            }
        }
        if (reserved == 0 || free < 0) {
            throw new NoSlotException();
        }
        reserved--;
        put(now, free + usage.ordinal(), free + usage.ordinal(), fence);
        return null;
    }

    /** {@return the index of the filled cell of a slot, or -1} */
    private static int filled(@Nullable Fence[] now, int slot) {
        for (int at = slot; at < slot + CELLS; at++) {
            if (now[at] != null) {
                return at;
            }
        }
        return -1;
    }

    /** {@return whether a fence gives its place to another (RV-12, RV-15)} */
    private static boolean gives(Fence old, int oldUsage, Fence fence, FenceUsage usage) {
        return (old.context() == fence.context()
                        && oldUsage >= usage.ordinal()
                        && isSameOrLater(fence, old))
                || old.isSignaled();
    }

    /** {@return whether a fence is not before another of its timeline (FE-2)} */
    static boolean isSameOrLater(Fence fence, Fence old) {
        return fence.isSeqno64()
                ? Long.compareUnsigned(fence.seqno(), old.seqno()) >= 0
                : (int) fence.seqno() - (int) old.seqno() >= 0;
    }

    private void put(@Nullable Fence[] now, int to, int from, Fence fence) {
        publish(fence);
        CELL.setRelease(now, to, fence.get());
        if (from != to) {
            if (simulated) {
                read.reached();
            }
            CELL.setRelease(now, from, null);
        }
    }

    private static void publish(Fence fence) {
        if (fence instanceof CoreFence core) {
            core.published();
        }
    }

    /**
     * Puts a fence in the place of all of a context, each time with a reference.
     *
     * @param replaced is shown what goes, with its class, while its reference still holds
     */
    void replace(long context, Fence fence, FenceUsage usage, FenceVisitor replaced) {
        publish(fence);
        @Nullable Fence[] before = cells;
        @Nullable Fence[] after = before.clone(); // a weaker class would escape a reader
        for (int slot = 0; slot < after.length; slot += CELLS) {
            int at = filled(after, slot);
            Fence old = at < 0 ? null : after[at];
            if (old != null && old.context() == context) {
                after[at] = null;
                after[slot + usage.ordinal()] = fence.get();
            }
        }
        cells = after;
        for (int at = 0; at < before.length; at++) {
            Fence old = before[at];
            if (old != null && old.context() == context) {
                replaced.visit(old, USAGES[at % CELLS]);
                old.put();
            }
        }
    }

    /** Takes fences over with their references; what was there goes. */
    void replaceAll(List<Fence> fences, List<FenceUsage> usages) {
        @Nullable Fence[] before = cells;
        @Nullable Fence[] after = new Fence[fences.size() * CELLS];
        for (int i = 0; i < fences.size(); i++) {
            after[i * CELLS + usages.get(i).ordinal()] = fences.get(i);
        }
        cells = after;
        reserved = 0;
        for (Fence old : before) {
            if (old != null) {
                old.put();
            }
        }
    }

    /** Shows the holder each fence, signaled ones too. */
    void forEachHeld(FenceVisitor visitor) {
        @Nullable Fence[] now = cells;
        for (int at = 0; at < now.length; at++) {
            Fence fence = now[at];
            if (fence != null) {
                visitor.visit(fence, USAGES[at % CELLS]);
            }
        }
    }

    // ---- without the lock

    /** {@return the fence of a cell with one reference; null if there is none} */
    private @Nullable Fence referenced(@Nullable Fence[] now, int at) {
        if (simulated) {
            read.reached();
        }
        Fence seen = (Fence) CELL.getAcquire(now, at);
        while (seen != null) {
            read.reached();
            Fence mine = seen.getUnlessZero();
            if (mine != null) {
                return mine;
            }
            Fence again = (Fence) CELL.getAcquire(now, at);
            if (again == seen) {
                return null; // freed, and the array is an old one
            }
            seen = again;
        }
        return null;
    }

    /** Shows each unsignaled fence of a snapshot, with a reference while it is shown. */
    void forEach(FenceUsage usage, FenceVisitor visitor) {
        @Nullable Fence[] now = cells;
        for (int slot = 0; slot < now.length; slot += CELLS) {
            for (int in = usage.ordinal(); in >= 0; in--) {
                Fence fence = referenced(now, slot + in);
                if (fence != null) {
                    try {
                        if (!fence.isSignaled()) {
                            visitor.visit(fence, USAGES[in]);
                        }
                    } finally {
                        fence.put();
                    }
                }
            }
        }
    }

    /**
     * Collects unsignaled fences, each with a reference; starts over when the list has changed
     * (RV-22).
     */
    void collect(FenceUsage usage, List<Fence> fences, List<FenceUsage> usages) {
        @Nullable Fence[] now = cells;
        while (true) {
            for (int slot = 0; slot < now.length; slot += CELLS) {
                for (int in = usage.ordinal(); in >= 0; in--) {
                    Fence fence = referenced(now, slot + in);
                    if (fence == null) {
                        continue;
                    }
                    if (fence.isSignaled()) {
                        fence.put();
                    } else {
                        fences.add(fence);
                        usages.add(USAGES[in]);
                    }
                }
            }
            @Nullable Fence[] again = cells;
            if (again == now) {
                return;
            }
            fences.forEach(Fence::put);
            fences.clear();
            usages.clear();
            now = again;
        }
    }

    /**
     * {@return whether all fences of a class and those before it have signaled}
     *
     * @param stable whether the caller holds the reservation
     */
    boolean testSignaled(FenceUsage usage, boolean stable) {
        @Nullable Fence[] now = cells;
        while (true) {
            for (int slot = 0; slot < now.length; slot += CELLS) {
                for (int in = usage.ordinal(); in >= 0; in--) {
                    Fence fence = stable ? now[slot + in] : referenced(now, slot + in);
                    if (fence == null) {
                        continue;
                    }
                    boolean signaled = fence.isSignaled();
                    if (!stable) {
                        fence.put();
                    }
                    if (!signaled) {
                        return false;
                    }
                }
            }
            @Nullable Fence[] again = cells;
            if (again == now) {
                return true;
            }
            now = again;
        }
    }

    /** Waits for all fences of a class and those before it; starts over when the list changes. */
    long waitTimeout(FenceUsage usage, boolean stable, boolean interruptible, long timeout) {
        long left = timeout;
        @Nullable Fence[] now = cells;
        while (true) {
            for (int slot = 0; slot < now.length; slot += CELLS) {
                for (int in = usage.ordinal(); in >= 0; in--) {
                    Fence fence = stable ? now[slot + in] : referenced(now, slot + in);
                    if (fence == null) {
                        continue;
                    }
                    try {
                        if (!fence.isSignaled()) {
                            long rest = fence.waitTimeout(interruptible, left);
                            if (rest == 0) {
                                return 0;
                            }
                            left = left == 0 ? 0 : rest;
                            waited.reached();
                        }
                    } finally {
                        if (!stable) {
                            fence.put();
                        }
                    }
                }
            }
            @Nullable Fence[] again = cells;
            if (again == now) {
                return left == 0 ? 1 : left;
            }
            now = again;
        }
    }
}
