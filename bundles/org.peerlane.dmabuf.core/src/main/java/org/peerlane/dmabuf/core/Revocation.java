package org.peerlane.dmabuf.core;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.HeldLock;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Takes access to a buffer away, and gives it back (section 13.2).
 *
 * <p><b>Order</b> of a revoke (RK-3): under the reservation mark, invalidate, and wait for every
 * fence; without it let CPU faults that had begun end, zap what they put in, and wait until every
 * mapping has been taken back. There is one at a time; another waits for it and finds its work
 * done, so that nobody returns while access goes on.
 *
 * <p><b>Locks.</b> The state changes under the reservation and the list lock, so either is enough
 * to read a steady one. The list lock guards the rest.
 */
final class Revocation {
    /** How long an importer may take before it is named. */
    static final long PATIENCE_NANOS = 10_000_000_000L;

    private final Buffer buffer;
    private final Services services;
    private final NamedLock lock;

    /** See the class. */
    private volatile RevokeState state = RevokeState.OK;

    /** The same, for who keeps nothing else of the buffer. */
    private final AtomicReference<RevokeState> shown = new AtomicReference<>(RevokeState.OK);

    /** Who revokes or gives back now. Changes under lock. */
    private volatile @Nullable Thread revoker;

    /** What another that wants to revoke waits for. */
    private final HeldLock turn =
            new HeldLock() {
                @Override
                public String name() {
                    return "the end of another revoke of " + buffer;
                }

                @Override
                public @Nullable Thread holder() {
                    return revoker;
                }
            };

    /** CPU faults that began while access was allowed and have not ended. Guarded by lock. */
    private int faults;

    /** Made by who waits first. Guarded by lock. */
    private @Nullable Condition changed;

    /** Its exporter leaves: access never comes back. Changes as the state does. */
    private boolean leaving;

    Revocation(Buffer buffer, Services services, NamedLock lock) {
        this.buffer = buffer;
        this.services = services;
        this.lock = lock;
    }

    RevokeState state() {
        return state;
    }

    /** {@return the state, as it will be} */
    AtomicReference<RevokeState> shown() {
        return shown;
    }

    /** {@return whether access is being or has been taken away} */
    boolean isTaken() {
        return state != RevokeState.OK;
    }

    /**
     * Refuses new access.
     *
     * @throws ErrnoException {@code ENODEV}
     */
    void requireOk(String what) {
        RevokeState now = state;
        if (now != RevokeState.OK) {
            throw new ErrnoException(
                    Errno.ENODEV, "%s of %s, which is %s".formatted(what, buffer, now));
        }
    }

    /** [free] As {@link org.peerlane.dmabuf.api.DmaBufs#revoke}. */
    void revoke(boolean forGood) {
        begin("revoke");
        try {
            if (state == RevokeState.OK || state == RevokeState.REVOKING) {
                takeAway();
                ended(forGood);
            } else if (forGood && state == RevokeState.REVOKED) {
                become(RevokeState.REVOKED_FOR_GOOD); // nobody has access: no wait (RK-22)
            }
        } finally {
            end();
        }
        services.points.revokeDone.reached();
    }

    private void takeAway() {
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            become(RevokeState.REVOKING);
            services.points.revokeMarked.reached();
            buffer.invalidation().run();
            services.points.revokeInvalidated.reached();
            reservation.waitTimeout(FenceUsage.BOOKKEEP, false, Reservation.NO_LIMIT);
            services.points.revokeIdle.reached();
        } finally {
            reservation.unlock();
        }
        endProcesses();
        awaitUnmaps();
        services.points.revokeUnmapped.reached();
    }

    private void ended(boolean forGood) {
        lock.lock();
        try {
            become(
                    forGood || leaving || state == RevokeState.REVOKED_FOR_GOOD
                            ? RevokeState.REVOKED_FOR_GOOD
                            : RevokeState.REVOKED);
        } finally {
            lock.unlock();
        }
    }

    /**
     * [free] The exporter leaves: nothing new is allowed from here on, and importers are told. A
     * revoke that is under way goes on.
     */
    void exporterLeaves() {
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            lock.lock();
            try {
                leaving = true;
            } finally {
                lock.unlock();
            }
            if (state == RevokeState.OK) {
                become(RevokeState.REVOKING);
                services.points.revokeMarked.reached();
                buffer.invalidation().run();
                services.points.revokeInvalidated.reached();
            }
        } finally {
            reservation.unlock();
        }
    }

    /** [held] Nothing is mapped any more. */
    void exporterHasLeft() {
        if (state != RevokeState.REVOKED_FOR_GOOD) {
            become(RevokeState.REVOKED_FOR_GOOD);
        }
    }

    /** [free] No process reaches the storage when this returns, and none will. */
    void endProcesses() {
        awaitFaults();
        buffer.processMappings().zap();
    }

    private void awaitUnmaps() {
        if (services.checks.isOn()) {
            services.checks.beginWait(new BufferUnmaps(buffer));
        }
        try {
            buffer.mapped().awaitEmpty(PATIENCE_NANOS, this::tooLong);
        } finally {
            services.checks.endWait();
        }
    }

    /** [free] As {@link org.peerlane.dmabuf.api.DmaBufs#unrevoke}. */
    void unrevoke() {
        begin("unrevoke");
        try {
            if (state == RevokeState.REVOKED_FOR_GOOD) {
                throw new ErrnoException(
                        Errno.EBADFD, "unrevoke of %s, which was for good".formatted(buffer));
            }
            if (state == RevokeState.OK) {
                return;
            }
            giveBack();
        } finally {
            end();
        }
    }

    private void giveBack() {
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            buffer.invalidation().run();
            reservation.waitTimeout(FenceUsage.BOOKKEEP, false, Reservation.NO_LIMIT);
            services.points.unrevokeIdle.reached();
            if (leaving) {
                throw new ErrnoException(
                        Errno.EBADFD, "unrevoke of %s, whose exporter leaves".formatted(buffer));
            }
            if (state != RevokeState.REVOKED || buffer.mapped().size() != 0) {
                throw services.broken(
                        "CK-4",
                        buffer.owner().owner(),
                        buffer,
                        "unrevoke of %s, which is %s with %d mappings; expected an ended revoke"
                                .formatted(buffer, state, buffer.mapped().size()));
            }
            become(RevokeState.OK);
        } finally {
            reservation.unlock();
        }
    }

    private void become(RevokeState now) {
        RevokeState before;
        lock.lock();
        try {
            before = state;
            state = now;
            shown.set(now);
        } finally {
            lock.unlock();
        }
        if (services.trace.revokeChanged.isOn()) {
            services.trace.revokeChanged.emit(
                    new DmaBufEvents.DmaBufRevokeChanged(buffer.id(), before, now));
        }
    }

    private void begin(String what) {
        services.refuseHeld("CK-26", buffer, Callers.outside(), what);
        lock.lock();
        try {
            if (Thread.currentThread().equals(revoker)) {
                throw services.broken(
                        "CK-24",
                        Callers.outside(),
                        buffer,
                        "%s of %s from inside of a revoke of it".formatted(what, buffer));
            }
            if (revoker != null) {
                services.checks.beginWait(turn);
                try {
                    while (revoker != null) {
                        changed().awaitUninterruptibly();
                    }
                } finally {
                    services.checks.endWait();
                }
            }
            revoker = Thread.currentThread();
        } finally {
            lock.unlock();
        }
    }

    private void end() {
        lock.lock();
        try {
            revoker = null;
            signal();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether the CPU may touch it now; then {@link #faultEnds} follows} */
    boolean faultBegins() {
        lock.lock();
        try {
            if (state != RevokeState.OK) {
                return false;
            }
            faults++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    void faultEnds() {
        lock.lock();
        try {
            faults--;
            if (faults == 0) {
                signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private void awaitFaults() {
        lock.lock();
        try {
            while (faults != 0) {
                changed().awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private void signal() {
        Condition waited = changed;
        if (waited != null) {
            waited.signalAll();
        }
    }

    private Condition changed() {
        assert lock.isHeldByCurrentThread();
        Condition made = changed;
        if (made == null) {
            made = lock.newCondition("revoke-goes-on");
            changed = made;
        }
        return made;
    }

    /** {@return the thread that revokes or gives back, or null} */
    @Nullable Thread revoker() {
        return revoker;
    }

    /** Names each importer that is late, once (T-23). */
    private void tooLong(List<BufferMapping> left) {
        services.checks.lookForLikely();
        Map<BufferAttachment, Integer> counts = new LinkedHashMap<>();
        Map<BufferAttachment, BufferMapping> firsts = new LinkedHashMap<>();
        for (BufferMapping mapping : left) {
            counts.merge(mapping.attachment(), 1, Integer::sum);
            firsts.putIfAbsent(mapping.attachment(), mapping);
        }
        firsts.forEach((attachment, mapping) ->
                services.report(
                        "RK-4",
                        Severity.WRONG,
                        attachment.owner().owner(),
                        attachment,
                        mapping.id(),
                        ("revoke of %s waits for %s of %s: mapping %d, one of %d, has not"
                                        + " been taken back after %d s")
                                .formatted(
                                        buffer,
                                        attachment.device().name(),
                                        attachment.owner().owner(),
                                        mapping.id(),
                                        counts.get(attachment),
                                        PATIENCE_NANOS / 1_000_000_000)));
    }
}
