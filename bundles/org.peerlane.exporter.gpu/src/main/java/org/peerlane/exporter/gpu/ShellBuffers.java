package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What the shell holds: handles, and references to the DMA-BUFs that it has exported.
 *
 * <p><b>Life.</b> Until {@code gpu:free}, until the card leaves, or {@link #close}.
 *
 * <p><b>Locks.</b> {@code gpu.command}, a leaf, guards the list only.
 */
final class ShellBuffers {
    private final NamedLock lock;

    /** In the order in which they came; guarded by lock. */
    private final Map<GpuBuffer, Holding> held = new LinkedHashMap<>();

    /** Guarded by lock. */
    private boolean closed;

    ShellBuffers(Execution execution) {
        lock = execution.lock("gpu.command");
    }

    /** Of one buffer. Guarded by lock. */
    private static final class Holding {
        /** More than one if a card has taken in a buffer of its own (GX-2). */
        int handles;

        @Nullable DmaBuf exported;

        void giveBack(GpuBuffer buffer) {
            for (int i = 0; i < handles; i++) {
                buffer.close();
            }
            DmaBuf shared = exported;
            if (shared != null) {
                shared.put();
            }
        }
    }

    /** Keeps a handle, which goes here. */
    void add(GpuBuffer buffer) {
        boolean late;
        lock.lock();
        try {
            late = closed;
            if (!late) {
                held.computeIfAbsent(buffer, _ -> new Holding()).handles++;
            }
        } finally {
            lock.unlock();
        }
        if (late) {
            buffer.close();
            throw new ErrnoException(Errno.ENODEV, "the GPU's commands are leaving");
        }
    }

    /** Keeps a reference, which goes here; one for each buffer is enough. */
    void exported(GpuBuffer buffer, DmaBuf shared) {
        boolean surplus;
        lock.lock();
        try {
            Holding mine = closed ? null : held.computeIfAbsent(buffer, _ -> new Holding());
            surplus = mine == null || mine.exported != null;
            if (mine != null && !surplus) {
                mine.exported = shared;
            }
        } finally {
            lock.unlock();
        }
        if (surplus) {
            shared.put();
        }
    }

    /**
     * Gives everything back that the shell has of a buffer.
     *
     * @throws ErrnoException {@code ENOENT} it has nothing of it
     */
    void free(GpuBuffer buffer) {
        Holding mine;
        lock.lock();
        try {
            mine = held.remove(buffer);
        } finally {
            lock.unlock();
        }
        if (mine == null) {
            throw new ErrnoException(
                    Errno.ENOENT,
                    "%s is none of the shell's; expected one of gpu:alloc, gpu:import or gpu:export"
                            .formatted(buffer));
        }
        mine.giveBack(buffer);
    }

    /** Gives back what was of cards that have left. */
    void forgetAllBut(List<Gpu> cards) {
        Map<GpuBuffer, Holding> gone = new LinkedHashMap<>();
        lock.lock();
        try {
            Iterator<Map.Entry<GpuBuffer, Holding>> all = held.entrySet().iterator();
            while (all.hasNext()) {
                Map.Entry<GpuBuffer, Holding> one = all.next();
                if (!cards.contains(one.getKey().gpu())) {
                    gone.put(one.getKey(), one.getValue());
                    all.remove();
                }
            }
        } finally {
            lock.unlock();
        }
        gone.forEach((buffer, holding) -> holding.giveBack(buffer));
    }

    /** Gives everything back; the last comes first, so that importers go before exporters. */
    void close() {
        List<Map.Entry<GpuBuffer, Holding>> left;
        lock.lock();
        try {
            closed = true;
            left = new ArrayList<>(held.entrySet());
            held.clear();
        } finally {
            lock.unlock();
        }
        left.reversed().forEach(one -> one.getValue().giveBack(one.getKey()));
    }
}
