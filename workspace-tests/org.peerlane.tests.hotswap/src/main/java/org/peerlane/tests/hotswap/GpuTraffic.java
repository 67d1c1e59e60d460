package org.peerlane.tests.hotswap;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Gpus;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.CpuSignal;

/**
 * One card copies out of the memory of another one, again and again, each time another word, and
 * looks whether it has arrived. What a departure may answer is counted; bytes that nobody has
 * written are wrong.
 *
 * <p><b>Threads.</b> One of its own, until {@link #stop}.
 */
final class GpuTraffic {
    private static final int BYTES = 0x4000;

    private static final long PAUSE_NANOS = 1_000_000;
    private static final Set<Errno> DEPARTURES =
            EnumSet.of(Errno.ENODEV, Errno.EBADF, Errno.ECANCELED, Errno.EIO);

    private final BundleContext context;
    private final AddressSpaces spaces;
    private final String from;
    private final String to;
    private final Thread thread;
    private final AtomicInteger copied = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final List<Throwable> wrong = new ArrayList<>();
    private volatile boolean stop;

    /** Starts. */
    GpuTraffic(BundleContext context, AddressSpaces spaces, String from, String to) {
        this.context = context;
        this.spaces = spaces;
        this.from = from;
        this.to = to;
        thread = Thread.ofPlatform().daemon().name(from + " to " + to).start(this::run);
    }

    int copied() {
        return copied.get();
    }

    int refused() {
        return refused.get();
    }

    /** {@return what must not happen, and has} */
    List<Throwable> wrong() {
        synchronized (wrong) {
            return List.copyOf(wrong);
        }
    }

    void stop() throws InterruptedException {
        stop = true;
        thread.join();
    }

    private void run() {
        for (int word = 1; !stop; word++) {
            try {
                if (copy(word)) {
                    copied.incrementAndGet();
                } else {
                    refuse();
                }
            } catch (Throwable e) {
                if (isDeparture(e)) {
                    refuse();
                } else {
                    synchronized (wrong) {
                        wrong.add(e);
                    }
                    return;
                }
            }
        }
    }

    /** Lets others go on, who bring the cards back. */
    private void refuse() {
        refused.incrementAndGet();
        LockSupport.parkNanos(PAUSE_NANOS);
    }

    private static boolean isDeparture(Throwable e) {
        return e instanceof CpuSignal
                || e instanceof ErrnoException errno && DEPARTURES.contains(errno.errno());
    }

    private @Nullable Gpus gpus() {
        ServiceReference<Gpus> reference = context.getServiceReference(Gpus.class);
        return reference == null ? null : context.getService(reference);
    }

    /** {@return whether it has arrived; false: there are no cards, or content was lost} */
    private boolean copy(int word) {
        Gpus gpus = gpus();
        if (gpus == null) {
            return false;
        }
        Gpu owner = gpus.gpu(from);
        Gpu peer = gpus.gpu(to);
        try (GpuBuffer source = owner.allocate(GpuAllocation.of(BYTES))) {
            done(source.fill(0, BYTES, word));
            DmaBuf shared = source.export(ExportInfo.O_RDWR);
            try (GpuBuffer taken = peer.importBuffer(shared);
                    GpuBuffer target = peer.allocate(GpuAllocation.of(BYTES))) {
                done(taken.copyTo(0, target, 0, BYTES));
                int seen = read(target, BYTES - 4);
                if (source.losses() + target.losses() > 0 || !isThere(owner) || !isThere(peer)) {
                    return false;
                }
                if (seen != word) {
                    throw new AssertionError("%d was written, %d is there".formatted(word, seen));
                }
                return true;
            } finally {
                shared.put();
            }
        }
    }

    /** What a card that has been pulled out is asked for is anything, until its driver knows. */
    private static boolean isThere(Gpu card) {
        return card.function().isPresent();
    }

    private static void done(Fence fence) {
        try {
            fence.waitTimeout(false, Reservation.NO_LIMIT);
            Errno error = fence.error();
            if (error != null) {
                throw new ErrnoException(error, "the work has failed");
            }
        } finally {
            fence.put();
        }
    }

    private int read(GpuBuffer buffer, int offset) {
        try (AddressSpace process = spaces.create("reader")) {
            CpuMapping all =
                    buffer.mmap(
                            process, 0, BYTES, AddressSpace.PROT_READ, AddressSpace.MAP_SHARED, 0);
            return (int) process.load(all.first() + offset, 4);
        }
    }
}
