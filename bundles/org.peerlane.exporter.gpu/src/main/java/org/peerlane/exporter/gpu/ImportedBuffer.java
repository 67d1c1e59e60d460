package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
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

    /** Changes under the card's lock. */
    private volatile boolean open;

    private final Attachment attachment;

    /** What jobs may use. [held] */
    private @Nullable DmaBufMapping mapping;

    /** What only jobs of before use. [held] */
    private final List<Stale> stale = new ArrayList<>();

    /** Of the last job. [held] */
    private @Nullable Fence lastUse;

    /** What is mapped is unmapped by its end. [held] */
    private boolean gone;

    /**
     * A mapping that no job uses any more.
     *
     * @param last of the jobs that have used it, with a reference; null: there was none
     */
    private record Stale(DmaBufMapping mapping, @Nullable Fence last) {}

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
        Stale now = retire();
        if (now == null || gone) {
            return; // its end unmaps all that is stale
        }
        Fence last = now.last();
        card.reaper().add(last == null ? List.of() : List.of(last.get()), () -> unmap(now));
    }

    /** [held] {@return what was mapped, which no new job uses; null: nothing was} */
    private @Nullable Stale retire() {
        DmaBufMapping now = mapping;
        if (now == null) {
            return null;
        }
        mapping = null;
        Fence last = lastUse;
        Stale made = new Stale(now, last == null ? null : last.get());
        stale.add(made);
        return made;
    }

    private void unmap(Stale one) {
        reservation()
                .whileHeld(_ -> {
                    if (stale.remove(one)) {
                        drop(one);
                    }
                });
    }

    /** [held] An exporter may have one table for an attachment (DY-5): waits for jobs. */
    private void dropStale() {
        stale.forEach(this::drop);
        stale.clear();
    }

    /** [held] */
    private void drop(Stale one) {
        Fence last = one.last();
        if (last != null) {
            last.waitTimeout(false, Reservation.NO_LIMIT);
            last.put();
        }
        attachment.unmap(one.mapping(), DmaDirection.BIDIRECTIONAL);
    }

    // ---- its end

    @Override
    boolean isClosed() {
        return !open;
    }

    @Override
    void opened() {
        open = true;
    }

    @Override
    boolean closed() {
        boolean was = open;
        open = false;
        return was;
    }

    @Override
    public void close() {
        if (card.forget(this)) {
            end();
        }
    }

    /** Its mapping and its attachment go, behind all jobs that use them. Once. */
    void end() {
        List<Fence> waits;
        reservation().lock(null);
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
                    retire();
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
