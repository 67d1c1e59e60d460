package org.peerlane.dmabuf.core;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.shadow.Entry;
import org.peerlane.dmabuf.core.shadow.Facts;
import org.peerlane.dmabuf.core.shadow.ShadowIndex;
import org.peerlane.dmabuf.core.shadow.Watched;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;

/**
 * One answer of an exporter's map, and the importer's copy of it (DB-39).
 *
 * <p><b>Life.</b> Made and taken back by {@link MapProtocol}. <b>Threads.</b> Any.
 */
final class BufferMapping implements DmaBufMapping, Watched {
    private final long id;
    private final BufferAttachment attachment;
    private final Epoch epoch;
    private final DmaDirection direction;

    /** What the exporter made; null once it has been given back. [held] */
    private @Nullable SgTable exporters;

    private final SgTable copy;
    private final boolean pinned;
    private final boolean kept;
    private final long created;

    /** Moves of the storage to wait for before the first access; null once nobody needs them. */
    private final AtomicReference<@Nullable List<Fence>> moves;

    /** Who mapped it; null while checks are off. */
    private final @Nullable WeakReference<Thread> mapper;

    /** Reported; two threads at once may report twice. */
    private volatile boolean idleBroken;

    private volatile boolean unmapped;

    /** When. Written before {@link #unmapped}, as the next. */
    private long unmappedAt;

    /** Whether access was being taken away then. */
    private boolean taken;

    /** [held] Null: its addresses are not observed. */
    private @Nullable Entry entry;

    BufferMapping(
            long id,
            BufferAttachment attachment,
            Epoch epoch,
            DmaDirection direction,
            SgTable exporters,
            SgTable copy,
            boolean pinned,
            boolean kept,
            List<Fence> moves,
            long created) {
        this.id = id;
        this.attachment = attachment;
        this.epoch = epoch;
        this.direction = direction;
        this.exporters = exporters;
        this.copy = copy;
        this.pinned = pinned;
        this.kept = kept;
        this.moves = new AtomicReference<>(moves.isEmpty() ? null : moves);
        this.created = created;
        mapper =
                attachment.services().checks.isOn()
                        ? new WeakReference<>(Thread.currentThread())
                        : null;
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public long generation() {
        return epoch.generation;
    }

    @Override
    public BufferAttachment attachment() {
        return attachment;
    }

    @Override
    public DmaDirection direction() {
        return direction;
    }

    @Override
    public SgTable table() {
        return copy;
    }

    @Override
    public MappingState state() {
        if (unmapped) {
            return MappingState.UNMAPPED;
        }
        return attachment.isRevocable() ? epoch.state() : MappingState.VALID; // nobody told it
    }

    /** [held] {@return what the exporter made, and takes back; null: it has} */
    @Nullable SgTable exporters() {
        return exporters;
    }

    /** [held] {@return what the exporter made} Nothing of it is kept here from here on. */
    SgTable giveBack() {
        SgTable made = Objects.requireNonNull(exporters);
        exporters = null;
        return made;
    }

    Epoch epoch() {
        return epoch;
    }

    /** {@return whether the storage was pinned for it (DB-31)} */
    boolean isPinned() {
        return pinned;
    }

    /** {@return whether its table outlives it; see {@link AttachTimeMap}} */
    boolean isKept() {
        return kept;
    }

    long created() {
        return created;
    }

    /** {@return the thread that mapped it, if that is known: likely the one to take it back} */
    @Nullable Thread mapper() {
        return mapper == null ? null : mapper.get();
    }

    boolean isUnmapped() {
        return unmapped;
    }

    /** {@return such as {@code mapping 3 of nvme0 (nvme)}} */
    String forPeople() {
        return "mapping %d of %s (%s)"
                .formatted(id, attachment.device().name(), attachment.owner().owner());
    }

    /**
     * The device's access through it after the importer's callback could not reserve slots, added
     * no fence and returned: it should have ended before (DY-40). Whoever watches DMA calls this,
     * for each access; the first is reported as CK-64.
     */
    void accessed() {
        if (attachment.isPromisedIdle(epoch.generation) && !idleBroken) {
            idleBroken = true;
            attachment
                    .services()
                    .report(
                            "CK-64",
                            Severity.FATAL,
                            attachment.owner().owner(),
                            attachment,
                            id,
                            ("%s uses mapping %d of %s, though its callback could not reserve slots"
                                            + " and returned without a fence; expected all access to"
                                            + " have ended before")
                                    .formatted(
                                            attachment.device().name(), id, attachment.buffer()));
        }
    }

    /** [held] From here on its device's accesses are looked at, if anybody looks. */
    void watch() {
        PcieFunction function = attachment.device().function();
        ShadowIndex shadow = attachment.services().shadow;
        if (function != null && shadow != null) {
            entry = Observed.add(shadow, this, function, copy, direction);
        }
    }

    /** [held] Nothing may use it from here on. */
    void end(long now) {
        unmappedAt = now;
        taken = attachment.buffer().revocation().isTaken();
        unmapped = true;
        Entry observed = entry;
        ShadowIndex shadow = attachment.services().shadow;
        if (observed != null && shadow != null) {
            shadow.remove(observed, facts());
        }
        List<Fence> seen = moves.getAndSet(null);
        if (seen != null) {
            seen.forEach(Fence::put);
        }
    }

    @Override
    public MappingState seen() {
        if (unmapped) {
            return MappingState.UNMAPPED;
        }
        return attachment.isRevocable() ? epoch.seen() : MappingState.VALID;
    }

    @Override
    public boolean begins() {
        if (moves.get() != null) {
            firstAccess();
        }
        if (!epoch.hasEnded()) {
            return false;
        }
        accessed();
        return attachment.isTold(epoch.generation)
                && !epoch.isBusyWith(attachment.owner().owner(), attachment.services().primitives);
    }

    @Override
    public Facts facts() {
        boolean gone = unmapped;
        return Observed.facts(attachment, id, epoch, gone ? unmappedAt : 0, gone && taken);
    }

    /**
     * The device's first access through it; whoever watches DMA calls this. An access before the
     * storage has arrived is reported as CK-28. Later calls do nothing.
     */
    void firstAccess() {
        List<Fence> seen = moves.getAndSet(null);
        if (seen == null) {
            return;
        }
        boolean arrived = true;
        for (Fence fence : seen) {
            arrived &= fence.timestamp() != 0; // who has waited has seen it
            fence.put();
        }
        if (!arrived) {
            attachment
                    .services()
                    .report(
                            "CK-28",
                            Severity.WRONG,
                            attachment.owner().owner(),
                            attachment,
                            id,
                            ("%s uses mapping %d of %s while the storage is on the move; expected a"
                                            + " wait for the KERNEL fences")
                                    .formatted(
                                            attachment.device().name(), id, attachment.buffer()));
        }
    }

    @Override
    public String toString() {
        return "mapping %d of %s".formatted(id, attachment);
    }
}
