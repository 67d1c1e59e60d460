package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Takes a card down and up again, without anybody reaching its VRAM meanwhile (DY-13, RK-5).
 *
 * <p><b>Order.</b> No new work and no new mapping; the engine is stopped and its work fails; access
 * to what lies in VRAM is taken away, of processes and of peers; the card is reset; what lay there
 * is known to be lost; the engine starts; access is given back.
 *
 * <p><b>Locks.</b> {@code gpu.reset} is held all the while; nobody who holds a reservation takes
 * it.
 */
final class CardReset {
    private static final Logger LOG = LogManager.getLogger(CardReset.class);

    private final Surroundings surroundings;
    private final Card card;
    private final Hardware hardware;
    private final NamedLock lock;
    private final AtomicBoolean recovering = new AtomicBoolean();
    private volatile boolean up;
    private volatile boolean resetting;
    private volatile long count;

    private volatile boolean closed;

    CardReset(Surroundings surroundings, Card card, Hardware hardware) {
        this.surroundings = surroundings;
        this.card = card;
        this.hardware = hardware;
        lock = surroundings.execution.lock("gpu.reset");
    }

    boolean isUp() {
        return up;
    }

    /** The card is new. */
    void up() {
        up = true;
    }

    long count() {
        return count;
    }

    /** See {@link org.peerlane.gpu.api.Gpu#reset}. */
    void reset() {
        lock.lock();
        try {
            if (closed) {
                throw new ErrnoException(Errno.ENODEV, card + " leaves");
            }
            requireRevocable();
            downAndUp();
        } finally {
            lock.unlock();
        }
    }

    private void requireRevocable() {
        for (OwnBuffer buffer : card.lru().all()) {
            DmaBuf shared = buffer.live();
            if (shared == null) {
                continue;
            }
            try {
                buffer.reservation().whileHeld(_ -> requireRevocable(buffer, shared));
            } finally {
                shared.put();
            }
        }
    }

    private static void requireRevocable(OwnBuffer buffer, DmaBuf shared) {
        if (buffer.placement() != Placement.VRAM || !buffer.isPinned()) {
            return;
        }
        for (Attachment attachment : shared.attachments()) {
            if (attachment.pins() > 0 && !attachment.isRevocable()) {
                throw new ErrnoException(
                        Errno.EBUSY,
                        "%s is pinned in VRAM by %s, which cannot be told to stop"
                                .formatted(buffer, attachment.device().name()));
            }
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    private void downAndUp() {
        long begun = surroundings.execution.nanoTime();
        Set<OwnBuffer> lost = down(Errno.ECANCELED);
        List<DmaBuf> revoked = new ArrayList<>();
        try {
            takeAway(lost, revoked);
            surroundings.beforeReset.reached();
            resetting = true;
            try {
                hardware.reset();
            } finally {
                resetting = false;
                lost.forEach(OwnBuffer::lost);
            }
            count++;
            card.engine().start();
            up = true;
            if (surroundings.reset.isOn()) {
                surroundings.reset.emit(
                        new GpuReset(
                                card.name(),
                                lost.size(),
                                surroundings.execution.nanoTime() - begun));
            }
            giveBack(revoked);
        } finally {
            revoked.forEach(DmaBuf::put);
        }
    }

    /** {@return whose content was on its way to another place} */
    private Set<OwnBuffer> down(Errno with) {
        up = false;
        return card.engine().park(with);
    }

    /**
     * Takes away access to VRAM. Peers reach it as long as they have not given back what they have
     * mapped of it, wherever the buffer is by now (DY-13).
     *
     * @param lost gets what lies there
     * @param revoked gets what was taken from peers, with a reference
     */
    private void takeAway(Set<OwnBuffer> lost, List<DmaBuf> revoked) {
        for (OwnBuffer buffer : card.lru().all()) {
            if (!isCutOff(buffer, lost)) {
                continue;
            }
            DmaBuf shared = buffer.live();
            if (shared != null) {
                revoked.add(shared);
                if (shared.revokeState() == RevokeState.OK) {
                    surroundings.dmabufs.revoke(shared, false);
                }
            }
        }
    }

    /** {@return whether peers may reach VRAM by it; processes do not any more} */
    private static boolean isCutOff(OwnBuffer buffer, Set<OwnBuffer> lost) {
        buffer.reservation().lock(null);
        try {
            if (buffer.isDead()) {
                return false;
            }
            boolean inside = buffer.placement() == Placement.VRAM;
            if (inside) {
                lost.add(buffer);
                buffer.zap();
            }
            return inside || buffer.hasPeers();
        } finally {
            buffer.reservation().unlock();
        }
    }

    private void giveBack(List<DmaBuf> revoked) {
        for (DmaBuf shared : revoked) {
            if (shared.revokeState() == RevokeState.REVOKED) {
                surroundings.dmabufs.unrevoke(shared);
            }
        }
    }

    /** Work takes too long, or the engine cannot go on: resets on a thread of its own, once. */
    void recover() {
        if (closed || !recovering.compareAndSet(false, true)) {
            return;
        }
        surroundings.execution.start(
                ThreadKind.BLOCKING,
                card.name() + ".recover",
                () -> {
                    try {
                        LOG.warn("{} does not go on, and is reset", card);
                        reset();
                    } catch (ErrnoException e) {
                        LOG.error("{} does not come back: {}", card, e.getMessage());
                        stayDown();
                    } finally {
                        recovering.set(false);
                    }
                });
    }

    /** It cannot be reset now; but whoever waits for its work waits no longer. */
    private void stayDown() {
        lock.lock();
        try {
            if (up && !closed) {
                down(Errno.ECANCELED).forEach(OwnBuffer::lost);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Somebody has reset the card. If it was not this, the engine does not run any more. */
    void wasReset() {
        if (!resetting && up) {
            recover();
        }
    }

    /** No more resets, and no more work; one that is under way has given that up itself. */
    void end() {
        closed = true;
        if (lock.tryLock()) {
            try {
                down(Errno.ENODEV);
            } finally {
                lock.unlock();
            }
        }
    }

    /** After {@link #end}, and when importers have left: a reset that is under way ends first. */
    void close() {
        lock.lock();
        try {
            up = false;
        } finally {
            lock.unlock();
        }
    }
}
