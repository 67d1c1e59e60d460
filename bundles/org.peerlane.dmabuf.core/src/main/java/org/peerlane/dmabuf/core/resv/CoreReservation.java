package org.peerlane.dmabuf.core.resv;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.fence.CoreFence;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * A reservation: a {@link ReservationLock} and a {@link FenceList}, and who breaks the rules of
 * fences is reported.
 *
 * <p><b>Life.</b> Free and empty from {@link ReservationClass#newReservation}; {@link #close} once
 * nobody uses it any more. <b>Threads.</b> Any.
 */
@SuppressWarnings("ReferenceEquality") // the very fence
public final class CoreReservation extends ReservationLock {
    private final FenceList fences;

    /** Buffers of it, while checks are on. */
    private final List<Moves> moves = new CopyOnWriteArrayList<>();

    private final String waiting;

    CoreReservation(ReservationClass kind, String name, String owner, long buffer) {
        super(kind, name, owner, buffer);
        fences = new FenceList(kind.read, kind.waited, kind.execution.isSimulated());
        waiting = "waits for the fences of " + name;
    }

    @Override
    void unlocking() {
        fences.forgetReserved();
    }

    @Override
    public void reserveFences(int count) {
        assertHeld("reserves slots of");
        if (count <= 0) {
            String sentence = "%d slots of %s, expected 1 or more".formatted(count, name);
            report("RV-10", Severity.WRONG, sentence);
            throw new ErrnoException(Errno.EINVAL, sentence);
        }
        if (fences.reserved() >= count) {
            return;
        }
        try {
            kind.reserve.reached();
            fences.reserve(count);
        } catch (ErrnoException e) {
            kind.checks.reserveFailed();
            throw e;
        }
        if (kind.reserved.isOn()) {
            kind.reserved.emit(new ReservationEvents.FencesReserved(name, count));
        }
    }

    @Override
    public int reserved() {
        return fences.reserved();
    }

    /** Tells somebody of moves from now on; for the life of the reservation. */
    public void watch(Moves watcher) {
        moves.add(watcher);
    }

    /** Tells somebody of moves no more. */
    public void unwatch(Moves watcher) {
        moves.remove(watcher);
    }

    @Override
    public void addFence(Fence fence, FenceUsage usage) {
        assertHeld("adds a fence to");
        if (fence.isContainer()) {
            report(
                    "CK-22",
                    Severity.WRONG,
                    "%s gets %s, a container: slots merge by context, so add its members"
                            .formatted(name, fence));
        }
        kind.add.reached();
        Fence old;
        try {
            old = fences.add(fence, usage);
        } catch (FenceList.NoSlotException e) {
            String sentence =
                    "%s gets %s for %s without a reserved slot: reserve in the same critical section, and again after what may have added fences"
                            .formatted(name, fence, usage);
            report("CK-20", Severity.FATAL, sentence);
            throw new IllegalStateException(sentence, e);
        }
        if (old != null) {
            if (old != fence
                    && fence instanceof CoreFence core
                    && core.context() == old.context()) {
                core.overwrote(old, name);
            }
            old.put();
        }
        kind.checks.fenceAdded();
        if (usage == FenceUsage.KERNEL && fence instanceof CoreFence move) {
            for (Moves one : moves) {
                one.begins(move);
            }
        }
        if (kind.fenceAdded.isOn()) {
            kind.fenceAdded.emit(
                    new ReservationEvents.FenceAdded(
                            name, usage, fence.context(), fence.seqno(), old != null));
        }
        kind.added.reached();
    }

    @Override
    public void replaceFences(long fenceContext, Fence fence, FenceUsage usage) {
        assertHeld("replaces fences of");
        fences.replace(
                fenceContext,
                fence,
                usage,
                (old, under) -> reportUncovered(Coverage.replaced(name, old, under, fence, usage)));
        if (kind.replaced.isOn()) {
            kind.replaced.emit(
                    new ReservationEvents.FencesReplaced(
                            name, fenceContext, usage, fence.context(), fence.seqno()));
        }
    }

    private void reportUncovered(@Nullable String sentence) {
        if (sentence != null) {
            report("CK-23", Severity.WRONG, sentence);
        }
    }

    @Override
    public void copyFences(Reservation source) {
        assertHeld("replaces the list of");
        if (!(source instanceof CoreReservation from)) {
            throw new IllegalArgumentException(source + " is no reservation of this machine");
        }
        if (from == this) {
            return;
        }
        kind.copy.reached();
        List<Fence> copied = new ArrayList<>();
        List<FenceUsage> usages = new ArrayList<>();
        from.fences.collect(FenceUsage.BOOKKEEP, copied, usages);
        fences.forEachHeld(
                (old, under) -> reportUncovered(Coverage.lost(name, old, under, copied, usages)));
        fences.replaceAll(copied, usages);
        if (kind.copied.isOn()) {
            kind.copied.emit(new ReservationEvents.FencesCopied(name, from.name(), copied.size()));
        }
    }

    @Override
    public void forEachFence(FenceUsage usage, FenceVisitor visitor) {
        fences.forEach(usage, visitor);
    }

    @Override
    public List<Fence> getFences(FenceUsage usage) {
        kind.collect.reached();
        List<Fence> collected = new ArrayList<>();
        fences.collect(usage, collected, new ArrayList<>());
        return collected;
    }

    @Override
    public @Nullable Fence getSingleton(FenceUsage usage) {
        List<Fence> collected = getFences(usage);
        if (collected.isEmpty()) {
            return null;
        }
        if (collected.size() == 1) {
            return collected.getFirst();
        }
        boolean made = false;
        try {
            kind.singleton.reached();
            Fence array = kind.fences.array(collected, kind.fences.allocateContexts(1), 1, false);
            made = true;
            return array;
        } finally {
            if (!made) {
                collected.forEach(Fence::put);
            }
        }
    }

    @Override
    public long waitTimeout(FenceUsage usage, boolean interruptible, long timeoutNanos) {
        if (timeoutNanos < 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "a limit of %d ns, expected 0 or more".formatted(timeoutNanos));
        }
        if (timeoutNanos > 0) {
            kind.checks.mightSleep(owner, waiting);
        }
        return fences.waitTimeout(usage, isHeld(), interruptible, timeoutNanos);
    }

    @Override
    public boolean testSignaled(FenceUsage usage) {
        return fences.testSignaled(usage, isHeld());
    }

    @Override
    public void setDeadline(FenceUsage usage, long nanoTime) {
        fences.forEach(usage, (fence, under) -> fence.setDeadline(nanoTime));
    }

    /** Nobody uses it any more: lets go of its fences. Kernel counterpart: dma_resv_fini. */
    public void close() {
        fences.replaceAll(List.of(), List.of());
    }
}
