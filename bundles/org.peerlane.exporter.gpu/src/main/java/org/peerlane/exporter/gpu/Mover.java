package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Moves buffers, and finds room: who has not been used for longest leaves (GX-3, GX-4, DY-11).
 *
 * <p><b>Locks.</b> The reservation of what is moved is held. That of a victim is not waited for:
 * who is in use stays.
 */
final class Mover {
    private final Surroundings surroundings;
    private final Card card;
    private final Pools pools;
    private final Lru lru;
    private final Engine engine;
    private final Reaper reaper;

    Mover(
            Surroundings surroundings,
            Card card,
            Pools pools,
            Lru lru,
            Engine engine,
            Reaper reaper) {
        this.surroundings = surroundings;
        this.card = card;
        this.pools = pools;
        this.lru = lru;
        this.engine = engine;
        this.reaper = reaper;
    }

    /** How far a move goes to find room. */
    enum Effort {
        /** Takes what is free. */
        FREE,
        /** Others leave for it. */
        EVICT
    }

    // ---- room

    /**
     * {@return memory in the card; null: there is no room}
     *
     * @param self who asks, and stays; null: nobody yet
     */
    @Nullable VramStorage vram(
            long bytes, boolean visible, Effort effort, @Nullable OwnBuffer self) {
        VramStorage found = pools.vram(bytes, visible);
        if (found != null || effort == Effort.FREE) {
            return found;
        }
        for (OwnBuffer victim : lru.all()) {
            if (victim != self && makeLeave(victim, Placement.VRAM)) {
                found = pools.vram(bytes, visible);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    /** [held: its own] Makes a buffer's pages addressable by the card; others may have to leave. */
    void bind(SystemStorage storage, @Nullable OwnBuffer self) {
        for (OwnBuffer victim : lru.all()) {
            try {
                storage.bind();
                return;
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOSPC) {
                    throw e;
                }
            }
            if (victim != self) {
                makeLeave(victim, Placement.GTT);
            }
        }
        try {
            storage.bind();
        } catch (ErrnoException e) {
            throw e.errno() == Errno.ENOSPC
                    ? new ErrnoException(Errno.ENOMEM, card.name() + ": " + e.getMessage())
                    : e;
        }
    }

    /** {@return whether a buffer has left a kind of memory} */
    private boolean makeLeave(OwnBuffer victim, Placement from) {
        if (victim.placement() != from || !victim.reservation().tryLock()) {
            return false;
        }
        try {
            if (victim.placement() != from || victim.isPinned() || victim.isDead()) {
                return false;
            }
            if (from == Placement.GTT) {
                unbind(victim);
                pools.evictedFromGtt();
            } else {
                copyTo(victim, system(victim), true);
            }
            victim.displaced("%s was needed by others".formatted(from));
            return true;
        } catch (ErrnoException e) {
            return false; // it stays where it is
        } finally {
            victim.reservation().unlock();
        }
    }

    private SystemStorage system(OwnBuffer buffer) {
        SystemStorage made = pools.system(buffer.size());
        boolean bound = false;
        try {
            bind(made, buffer);
            bound = true;
            return made;
        } finally {
            if (!bound) {
                made.free();
            }
        }
    }

    // ---- moves

    /**
     * [held] Moves a buffer, also within its placement.
     *
     * @throws ErrnoException {@code EBUSY} it is pinned; {@code ENOMEM} no room; {@code ECANCELED}
     *     the card is being reset
     */
    void move(OwnBuffer buffer, Placement to, Effort effort) {
        if (buffer.isPinned()) {
            throw new ErrnoException(
                    Errno.EBUSY, "%s is pinned in %s".formatted(buffer, buffer.placement()));
        }
        switch (to) {
            case VRAM -> toVram(buffer, effort);
            case GTT -> toGtt(buffer);
            case SYSTEM -> toSystem(buffer);
        }
    }

    private void toVram(OwnBuffer buffer, Effort effort) {
        VramStorage made = vram(buffer.size(), buffer.mustBeVisible(), effort, buffer);
        if (made == null) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "0x%x bytes%s in the VRAM of %s for %s"
                            .formatted(
                                    buffer.size(),
                                    buffer.mustBeVisible() ? " behind the BAR" : "",
                                    card.name(),
                                    buffer));
        }
        if (buffer.storage() instanceof SystemStorage old) {
            boolean bound = false;
            try {
                bind(old, buffer);
                bound = true;
            } finally {
                if (!bound) {
                    made.free();
                }
            }
        }
        copyTo(buffer, made, false);
    }

    private void toGtt(OwnBuffer buffer) {
        if (buffer.storage() instanceof SystemStorage old) {
            bind(old, buffer);
            return;
        }
        copyTo(buffer, system(buffer), false);
    }

    private void toSystem(OwnBuffer buffer) {
        if (buffer.storage() instanceof VramStorage) {
            toGtt(buffer);
        }
        unbind(buffer);
    }

    /** [held] Everybody who uses it has ended; then the card does not address it any more. */
    private void unbind(OwnBuffer buffer) {
        if (!(buffer.storage() instanceof SystemStorage storage)
                || storage.placement() == Placement.SYSTEM) {
            return;
        }
        buffer.invalidate();
        buffer.reservation().waitTimeout(FenceUsage.BOOKKEEP, false, Reservation.NO_LIMIT);
        storage.unbind();
        emit(buffer, Placement.GTT, Placement.SYSTEM, false);
    }

    /**
     * [held] Queues a copy to new storage, which is the buffer's from now on.
     *
     * @param made is freed if this fails
     * @param evicting whether what it leaves is given out again at once
     */
    private void copyTo(OwnBuffer buffer, Storage made, boolean evicting) {
        Storage old = buffer.storage();
        boolean done = false;
        try {
            card.requireUp();
            buffer.reservation().reserveFences(1); // fails before anybody was told
            buffer.zap();
            buffer.invalidate();
            buffer.reservation().reserveFences(1); // importers may have used it (RV-17)
            surroundings.afterInvalidated.reached();
            List<Fence> waits =
                    new ArrayList<>(buffer.reservation().getFences(FenceUsage.BOOKKEEP));
            if (made instanceof VramStorage) {
                pools.addEviction(waits);
            }
            Fence copy =
                    engine.submit(
                            Packets.copy(old.runs(), 0, made.runs(), 0, buffer.size()),
                            false,
                            waits,
                            buffer);
            buffer.reservation().addFence(copy, FenceUsage.KERNEL);
            buffer.storage(made);
            emit(buffer, old.placement(), made.placement(), evicting);
            done = true;
            leave(old, copy, evicting);
        } finally {
            if (!done) {
                made.free();
            }
        }
    }

    private void leave(Storage old, Fence copy, boolean evicting) {
        if (evicting && old instanceof VramStorage vram) {
            pools.evicted(vram, copy);
            copy.put();
        } else {
            reaper.add(new ArrayList<>(List.of(copy)), old::free);
        }
    }

    private void emit(OwnBuffer buffer, Placement from, Placement to, boolean evicted) {
        if (surroundings.moved.isOn()) {
            surroundings.moved.emit(
                    new GpuBufferMoved(
                            card.name(), buffer.handle(), from, to, buffer.size(), evicted));
        }
    }

    // ---- eviction of everything

    /** {@return how many have left the VRAM} Waits for who is in use. */
    int evictAll() {
        int left = 0;
        for (OwnBuffer victim : lru.all()) {
            victim.reservation().lock(null);
            try {
                if (victim.placement() == Placement.VRAM
                        && !victim.isPinned()
                        && !victim.isDead()) {
                    copyTo(victim, system(victim), true);
                    victim.displaced("it was told to leave the VRAM");
                    left++;
                }
            } finally {
                victim.reservation().unlock();
            }
        }
        return left;
    }
}
