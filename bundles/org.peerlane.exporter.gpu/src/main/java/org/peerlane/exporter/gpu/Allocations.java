package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Makes a card's own buffers, of zeros: in the VRAM if there is room, else in RAM.
 *
 * <p><b>Threads.</b> Any, with no reservation held.
 */
final class Allocations {
    private static final long PAGE = VramAllocator.PAGE;

    private final Surroundings surroundings;
    private final Card card;
    private final Pools pools;
    private final Mover mover;
    private final Engine engine;

    Allocations(Surroundings surroundings, Card card, Pools pools, Mover mover, Engine engine) {
        this.surroundings = surroundings;
        this.card = card;
        this.pools = pools;
        this.mover = mover;
        this.engine = engine;
    }

    /** See {@link org.peerlane.gpu.api.Gpu#allocate}. */
    OwnBuffer allocate(GpuAllocation request) {
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
        card.requireHere();
        OwnBuffer made = null;
        if (request.domains().contains(Placement.VRAM) && card.isUp()) {
            VramStorage found = mover.vram(bytes, request.cpuVisible(), Mover.Effort.EVICT, null);
            made = found == null ? null : inVram(request, bytes, found);
        }
        if (made == null) {
            made = inRam(request, bytes);
        }
        return made;
    }

    /** {@return a buffer of zeros in the VRAM; null: the engine clears nothing now} */
    private @Nullable OwnBuffer inVram(GpuAllocation request, long bytes, VramStorage found) {
        try {
            return open(request, bytes, found, this::clear);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ECANCELED) {
                throw e;
            }
            return null;
        }
    }

    /** [held] */
    private void clear(OwnBuffer buffer) {
        buffer.reservation().reserveFences(1);
        List<Fence> waits = new ArrayList<>();
        pools.addEviction(waits);
        Fence clear =
                engine.submit(
                        Packets.fill(buffer.storage().runs(), 0, buffer.size(), 0),
                        false,
                        waits,
                        null);
        buffer.reservation().addFence(clear, FenceUsage.KERNEL);
        clear.put();
    }

    private OwnBuffer inRam(GpuAllocation request, long bytes) {
        if (!request.domains().contains(Placement.GTT)) {
            throw new ErrnoException(
                    Errno.ENOMEM, "0x%x bytes in the VRAM of %s".formatted(bytes, card.name()));
        }
        long all = surroundings.memory.pages().totalPages();
        if (bytes / PAGE > all) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "0x%x bytes, and the machine has 0x%x in all".formatted(bytes, all * PAGE));
        }
        SystemStorage storage = pools.system(bytes);
        boolean bound = false;
        try {
            mover.bind(storage, null);
            bound = true;
        } finally {
            if (!bound) {
                storage.free();
            }
        }
        return open(request, bytes, storage, _ -> {});
    }

    /**
     * {@return a buffer that others find from now on}
     *
     * @param storage is its own, or freed if this fails
     * @param first what has to be done before anybody else uses it, with its reservation held
     */
    private OwnBuffer open(
            GpuAllocation request, long bytes, Storage storage, Consumer<OwnBuffer> first) {
        OwnBuffer made = null;
        boolean whole = false;
        try {
            made = new OwnBuffer(card, card.nextHandle(), request, bytes, storage);
            OwnBuffer held = made;
            made.reservation()
                    .whileHeld(_ -> {
                        first.accept(held);
                        held.touched();
                    });
            card.remember(made);
            whole = true;
            return made;
        } finally {
            if (!whole) {
                if (made == null) {
                    storage.free();
                } else {
                    made.put();
                }
            }
        }
    }
}
