package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;

/**
 * A buffer in processes: nothing at first, filled by touches, emptied by moves.
 *
 * <p>A touch looks where the buffer is with its reservation held, and a move empties with it held;
 * so no touch puts back what a move has taken out. Whoever cannot have the reservation, or has to
 * wait for a copy, lets go of the mmap lock first and touches again.
 *
 * <p><b>Locks.</b> {@code gpu.view}, a leaf, guards the list of objects.
 */
final class CpuView implements MappingOperations {
    private final OwnBuffer buffer;
    private final Surroundings surroundings;
    private final NamedLock lock;

    /** By way of the card, and of DMA-BUFs. Guarded by lock. */
    private final List<Mappable> objects = new ArrayList<>();

    /** Made at the first mmap. Guarded by lock. */
    private @Nullable Mappable file;

    /** The next touch is a bus error: there was no room where the CPU reaches it. */
    private volatile boolean unreachable;

    CpuView(OwnBuffer buffer) {
        this.buffer = buffer;
        surroundings = buffer.card.surroundings();
        lock = surroundings.execution.lock("gpu.view");
    }

    CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        if ((flags & AddressSpace.MAP_SHARED) == 0) {
            throw new ErrnoException(
                    Errno.EINVAL, buffer + " is mapped privately; expected a shared mapping");
        }
        if (offset < 0 || bytes <= 0 || offset > buffer.size() - bytes) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "mmap of 0x%x bytes at 0x%x of %s, which has 0x%x"
                            .formatted(bytes, offset, buffer, buffer.size()));
        }
        return space.map(address, bytes, protection, flags, file(), offset);
    }

    private Mappable file() {
        lock.lock();
        try {
            Mappable made = file;
            if (made == null) {
                made = surroundings.spaces.object("gpu " + buffer, MappableKind.FRAMES, this);
                file = made;
                objects.add(made);
            }
            return made;
        } finally {
            lock.unlock();
        }
    }

    /** Something else that processes map it as. */
    void add(Mappable object) {
        lock.lock();
        try {
            if (!objects.contains(object)) {
                objects.add(object);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Processes do not map it as that any more. */
    void remove(Mappable object) {
        lock.lock();
        try {
            objects.remove(object);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void mapped(CpuMapping mapping) {
        buffer.get();
    }

    @Override
    public void open(CpuMapping mapping) {
        buffer.get();
    }

    /** The last one may end the buffer, which is not for this thread to do: it has a lock. */
    @Override
    public void close(CpuMapping mapping) {
        buffer.card.reaper().add(List.of(), buffer::put);
    }

    @Override
    public FaultResult fault(Fault fault) {
        Reservation reservation = buffer.reservation();
        if (unreachable) {
            unreachable = false;
            return FaultResult.BUS_ERROR;
        }
        if (!reservation.tryLock()) {
            return later(fault, _ -> {});
        }
        boolean waits = false;
        try {
            if (buffer.isDead()) {
                return FaultResult.BUS_ERROR;
            }
            Storage storage = buffer.storage();
            if (storage.placement() == Placement.VRAM && !buffer.card.isUp()) {
                return FaultResult.BUS_ERROR;
            }
            waits = !storage.isVisible() || !reservation.testSignaled(FenceUsage.KERNEL);
            if (!waits) {
                surroundings.beforeInserted.reached();
                insert(fault, storage.physical());
                return FaultResult.DONE;
            }
        } finally {
            reservation.unlock();
        }
        return later(fault, this::prepare);
    }

    private FaultResult later(Fault fault, Consumer<Reservation> action) {
        fault.release();
        Reservation reservation = buffer.reservation();
        reservation.whileHeld(action);
        reservation.waitTimeout(FenceUsage.KERNEL, false, Reservation.NO_LIMIT);
        return FaultResult.RETRY;
    }

    /** [held] What is beyond the BAR comes behind it, or goes to RAM (GX-20). */
    private void prepare(Reservation held) {
        if (buffer.isDead() || buffer.storage().isVisible() || !buffer.card.isUp()) {
            return;
        }
        try {
            buffer.card.bringIntoReach(buffer);
        } catch (ErrnoException e) {
            unreachable = true;
        }
    }

    /** Everything of the 64 KiB around the touch that lies in the same run. */
    private static void insert(Fault fault, List<AddressRange<PhysicalAddress>> ranges) {
        long start = fault.offset();
        long first = start - (fault.address() - fault.aroundFirst());
        long end = first + fault.aroundBytes();
        long at = 0;
        for (AddressRange<PhysicalAddress> range : ranges) {
            if (start < at + range.bytes()) {
                long from = Math.max(first, at);
                long to = Math.min(end, at + range.bytes());
                fault.insert(
                        fault.address() - (start - from),
                        range.first().value() + (from - at),
                        to - from,
                        true);
                return;
            }
            at += range.bytes();
        }
        throw new ErrnoException(Errno.EINVAL, "offset 0x%x is past the end".formatted(start));
    }

    /** No process reaches it when this returns. */
    void zap() {
        for (Mappable object : objects()) {
            object.unmapRange(0, Long.MAX_VALUE);
        }
    }

    private List<Mappable> objects() {
        lock.lock();
        try {
            return List.copyOf(objects);
        } finally {
            lock.unlock();
        }
    }

    /** Nobody maps it any more, and every touch is a bus error. */
    void close() {
        Mappable ending;
        lock.lock();
        try {
            ending = file;
            objects.clear();
            file = null;
        } finally {
            lock.unlock();
        }
        if (ending != null) {
            ending.retire();
        }
    }
}
