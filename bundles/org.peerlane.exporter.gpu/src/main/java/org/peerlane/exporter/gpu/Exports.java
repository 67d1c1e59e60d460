package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The DMA-BUFs of a card's own buffers: one for each, as long as anybody holds it (GX-2).
 *
 * <p><b>Locks.</b> {@code gpu.buffers} guards the list; the core is called with it, but it calls
 * nobody.
 */
final class Exports {
    private final Surroundings surroundings;
    private final Card card;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Map<OwnBuffer, DmaBuf> live = new LinkedHashMap<>();

    /** Guarded by lock. */
    private boolean closed;

    Exports(Surroundings surroundings, Card card) {
        this.surroundings = surroundings;
        this.card = card;
        lock = surroundings.execution.lock("gpu.buffers");
    }

    /** {@return the DMA-BUF of a buffer, with one reference, the caller's} */
    DmaBuf export(OwnBuffer buffer, int flags) {
        lock.lock();
        try {
            if (closed) {
                throw new ErrnoException(Errno.ENODEV, card.name() + " leaves");
            }
            DmaBuf known = live.get(buffer);
            if (known != null && known.getUnlessZero()) {
                return known;
            }
            SharedBuffer operations = new SharedBuffer(surroundings, buffer);
            DmaBuf made =
                    surroundings.dmabufs.export(
                            new ExportInfo(
                                    "gpu",
                                    operations,
                                    buffer.size(),
                                    flags & ExportInfo.O_ACCMODE,
                                    buffer.reservation(),
                                    buffer));
            buffer.get();
            live.put(buffer, made);
            return surroundings.dmabufs.handOver(made);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the DMA-BUF of a buffer, with a reference; null: nobody holds one} */
    @Nullable DmaBuf live(OwnBuffer buffer) {
        lock.lock();
        try {
            DmaBuf known = live.get(buffer);
            return known != null && known.getUnlessZero() ? known : null;
        } finally {
            lock.unlock();
        }
    }

    /** The last holder of a DMA-BUF has let go. */
    void ended(OwnBuffer buffer, DmaBuf was) {
        lock.lock();
        try {
            live.remove(buffer, was);
        } finally {
            lock.unlock();
        }
        buffer.put();
    }

    /** The card leaves: importers have a limit of time to let go of everything. */
    void depart() {
        List<DmaBuf> held = new ArrayList<>();
        lock.lock();
        try {
            closed = true;
            for (DmaBuf buffer : live.values()) {
                if (buffer.getUnlessZero()) {
                    held.add(buffer);
                }
            }
        } finally {
            lock.unlock();
        }
        try {
            if (!held.isEmpty()) {
                surroundings.dmabufs.depart(card.name(), held);
            }
        } finally {
            held.forEach(DmaBuf::put);
        }
    }
}
