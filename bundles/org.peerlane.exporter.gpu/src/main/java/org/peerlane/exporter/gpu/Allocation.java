package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Makes buffers of zeros: in VRAM, for which others may have to leave, and which the engine clears;
 * else in RAM. <b>Threads.</b> Any, with no reservation held.
 */
final class Allocation {
    private static final long PAGE = VramAllocator.PAGE;

    private final Card card;
    private final Pools pools;
    private final Engine engine;
    private final PhysicalMemory memory;

    Allocation(Card card, Pools pools, Engine engine, PhysicalMemory memory) {
        this.card = card;
        this.pools = pools;
        this.engine = engine;
        this.memory = memory;
    }

    OwnBuffer make(GpuAllocation request) {
        long bytes = request.bytes() + PAGE - 1 & -PAGE;
        if (request.bytes() <= 0 || bytes <= 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "a buffer of 0x%x bytes; expected at least 1".formatted(request.bytes()));
        }
        if (request.domains().isEmpty() || request.domains().contains(Placement.SYSTEM)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "a buffer in %s; expected VRAM, GTT or both".formatted(request.domains()));
        }
        OwnBuffer made = null;
        if (request.domains().contains(Placement.VRAM) && card.isUp()) {
            VramStorage found =
                    card.mover().vram(bytes, request.cpuVisible(), Mover.Effort.EVICT, null);
            made = found == null ? null : cleared(request, bytes, found);
        }
        return made == null ? inRam(request, bytes) : made;
    }

    /** {@return a buffer in the VRAM; null: the engine clears nothing now} */
    private @Nullable OwnBuffer cleared(GpuAllocation request, long bytes, VramStorage found) {
        OwnBuffer made = null;
        boolean whole = false;
        try {
            made = card.open(request, bytes, found);
            clear(made, found);
            whole = true;
            return made;
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ECANCELED) {
                throw e;
            }
            return null;
        } finally {
            if (!whole) {
                if (made == null) {
                    found.free();
                } else {
                    made.close();
                }
            }
        }
    }

    private void clear(OwnBuffer made, VramStorage storage) {
        made.reservation().lock(null);
        try {
            made.reservation().reserveFences(1);
            List<Fence> waits = new ArrayList<>();
            pools.addEviction(waits);
            Fence clear =
                    engine.submit(Packets.fill(storage.runs(), 0, made.size(), 0), false, waits);
            made.reservation().addFence(clear, FenceUsage.KERNEL);
            clear.put();
        } finally {
            made.reservation().unlock();
        }
    }

    private OwnBuffer inRam(GpuAllocation request, long bytes) {
        if (!request.domains().contains(Placement.GTT)) {
            throw new ErrnoException(
                    Errno.ENOMEM, "0x%x bytes in the VRAM of %s".formatted(bytes, card.name()));
        }
        long all = memory.pages().totalPages();
        if (bytes / PAGE > all) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "0x%x bytes, and the machine has 0x%x in all".formatted(bytes, all * PAGE));
        }
        SystemStorage storage = pools.system(bytes);
        boolean whole = false;
        try {
            card.mover().bind(storage, null);
            OwnBuffer made = card.open(request, bytes, storage);
            whole = true;
            return made;
        } finally {
            if (!whole) {
                storage.free();
            }
        }
    }
}
