package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Queues work on buffers: makes sure that the engine reaches them, has it wait for those who use
 * them, and lets others wait for it (implicit synchronisation, RV-21).
 *
 * <p><b>Threads.</b> Any, with no reservation held.
 */
final class Work {
    private final DmaBufs dmabufs;
    private final Engine engine;

    Work(DmaBufs dmabufs, Engine engine) {
        this.dmabufs = dmabufs;
        this.engine = engine;
    }

    Fence copy(CardBuffer source, long from, CardBuffer target, long at, long bytes) {
        source.requireInside(from, bytes);
        target.requireInside(at, bytes);
        if (source.reservation().equals(target.reservation())) {
            throw new ErrnoException(Errno.EINVAL, "a copy from %s to itself".formatted(source));
        }
        return holding(
                source.reservation(),
                target.reservation(),
                () -> {
                    List<Run> reads = source.runs();
                    List<Run> writes = target.runs();
                    source.reservation().reserveFences(1);
                    target.reservation().reserveFences(1);
                    List<Fence> waits = new ArrayList<>();
                    waits.addAll(source.reservation().getFences(FenceUsage.waitedForBy(false)));
                    waits.addAll(target.reservation().getFences(FenceUsage.waitedForBy(true)));
                    Fence fence =
                            engine.submit(
                                    Packets.copy(reads, from, writes, at, bytes),
                                    target.isImported(),
                                    waits,
                                    null);
                    source.used(fence, false);
                    target.used(fence, true);
                    return fence;
                });
    }

    Fence fill(CardBuffer target, long from, long bytes, int pattern) {
        target.requireInside(from, bytes);
        if ((from & 3) != 0 || (bytes & 3) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "0x%x bytes at 0x%x are filled; expected multiples of 4"
                            .formatted(bytes, from));
        }
        Reservation reservation = target.reservation();
        reservation.lock(null);
        try {
            List<Run> writes = target.runs();
            reservation.reserveFences(1);
            Fence fence =
                    engine.submit(
                            Packets.fill(writes, from, bytes, pattern),
                            target.isImported(),
                            reservation.getFences(FenceUsage.waitedForBy(true)),
                            null);
            target.used(fence, true);
            return fence;
        } finally {
            reservation.unlock();
        }
    }

    /** Takes two reservations in whatever order they can be had, and does something. */
    private Fence holding(Reservation one, Reservation other, Supplier<Fence> action) {
        try (AcquireContext context = dmabufs.acquire()) {
            lockBoth(context, one, other);
            context.done();
            try {
                return action.get();
            } finally {
                one.unlock();
                other.unlock();
            }
        }
    }

    private static void lockBoth(AcquireContext context, Reservation one, Reservation other) {
        Reservation first = one;
        Reservation second = other;
        first.lock(context);
        while (true) {
            ErrnoException refused = tryLock(context, second);
            if (refused == null) {
                return;
            }
            first.unlock();
            if (refused.errno() != Errno.EDEADLK) {
                throw refused;
            }
            second.lockSlow(context);
            Reservation taken = second;
            second = first;
            first = taken;
        }
    }

    private static @Nullable ErrnoException tryLock(AcquireContext context, Reservation wanted) {
        try {
            wanted.lock(context);
            return null;
        } catch (ErrnoException e) {
            return e;
        }
    }
}
