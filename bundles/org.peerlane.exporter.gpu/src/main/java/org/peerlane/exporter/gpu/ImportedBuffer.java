package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;

/**
 * Somebody else's buffer that the card's engine works on. It is mapped when it is used, and mapped
 * anew when it is used after its exporter has said that it moves (DY-1 to DY-5, DY-30).
 *
 * <p>Each job's fence is in the reservation before the reservation is given back: so the callback
 * has nothing to stop and nothing that can fail; it forgets the mapping. That is unmapped once the
 * last job through it has ended.
 *
 * <p><b>Locks.</b> Everything under the reservation.
 */
final class ImportedBuffer extends CardBuffer {
    private final DmaBuf buffer;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Attachment attachment;

    /** What jobs may use. [held] */
    private @Nullable DmaBufMapping mapping;

    /** What no job uses any more once {@link #lastUse} has signaled. [held] */
    private final List<DmaBufMapping> stale = new ArrayList<>();

    /** Of the last job. [held] */
    private @Nullable Fence lastUse;

    /** [held] */
    private boolean gone;

    /**
     * @param buffer a reference goes here
     */
    @SuppressWarnings("this-escape") // the callback may come at once
    ImportedBuffer(Card card, long handle, DmaBuf buffer) {
        super(card, handle, buffer.size());
        this.buffer = buffer;
        attachment =
                card.surroundings()
                        .dmabufs
                        .dynamicAttach(
                                buffer,
                                ImporterDevice.of(card.function(), card.dma()),
                                new AttachOperations(true, _ -> invalidated()),
                                this);
    }

    DmaBuf buffer() {
        return buffer;
    }

    @Override
    public boolean isImported() {
        return true;
    }

    @Override
    public Placement placement() {
        return Placement.GTT;
    }

    @Override
    public String whereabouts() {
        return "imported: %s%s"
                .formatted(buffer, attachment.peer2peer() ? "" : ", not as a peer's memory");
    }

    @Override
    public long losses() {
        return 0;
    }

    @Override
    public Reservation reservation() {
        return buffer.reservation();
    }

    @Override
    public DmaBuf export(int flags) {
        requireOpen();
        buffer.get();
        return buffer;
    }

    @Override
    public void move(Placement to) {
        throw new ErrnoException(
                Errno.EINVAL, "%s is imported; only its exporter moves it".formatted(this));
    }

    @Override
    public CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        requireOpen();
        return buffer.mmap(space, address, bytes, protection, flags, offset);
    }

    // ---- the engine

    @Override
    List<Run> runs() {
        if (gone) {
            throw new ErrnoException(Errno.ENODEV, this + " is gone");
        }
        DmaBufMapping now = mapping;
        if (now == null) {
            dropStale();
            now = attachment.map(DmaDirection.BIDIRECTIONAL);
            mapping = now;
        }
        return SystemStorage.runs(now.table());
    }

    @Override
    void used(Fence fence, boolean write) {
        super.used(fence, write);
        Fence before = lastUse;
        lastUse = fence.get();
        if (before != null) {
            before.put();
        }
    }

    // ---- the exporter

    /** [held] */
    private void invalidated() {
        DmaBufMapping now = mapping;
        if (now == null) {
            return;
        }
        mapping = null;
        stale.add(now);
        Fence last = lastUse;
        card.reaper().add(last == null ? List.of() : List.of(last.get()), this::unmapStale);
    }

    private void unmapStale() {
        reservation().whileHeld(_ -> dropStale());
    }

    /** [held] */
    private void dropStale() {
        if (stale.isEmpty()) {
            return;
        }
        Fence last = lastUse;
        if (last != null) {
            last.waitTimeout(false, Reservation.NO_LIMIT);
        }
        for (DmaBufMapping one : stale) {
            attachment.unmap(one, DmaDirection.BIDIRECTIONAL);
        }
        stale.clear();
    }

    // ---- its end

    @Override
    boolean isClosed() {
        return closed.get();
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        card.forget(this);
        reservation().lock(null);
        List<Fence> waits;
        try {
            gone = true;
            Fence last = lastUse;
            waits = last == null ? List.of() : List.of(last.get());
        } finally {
            reservation().unlock();
        }
        card.reaper().add(waits, this::detach);
    }

    private void detach() {
        reservation()
                .whileHeld(_ -> {
                    DmaBufMapping now = mapping;
                    mapping = null;
                    if (now != null) {
                        stale.add(now);
                    }
                    dropStale();
                    Fence last = lastUse;
                    lastUse = null;
                    if (last != null) {
                        last.put();
                    }
                });
        card.surroundings().dmabufs.detach(buffer, attachment);
        buffer.put();
    }

    @Override
    void leave() {
        close();
    }
}
