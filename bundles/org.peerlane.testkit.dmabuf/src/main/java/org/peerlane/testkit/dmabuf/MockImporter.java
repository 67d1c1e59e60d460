package org.peerlane.testkit.dmabuf;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.AttachOperations.InvalidateMappings;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * An importer that keeps the contract, and breaks it where a test tells it to. Its device does
 * nothing: work is a fence that {@link #begin} puts into the reservation and {@link #end} signals.
 *
 * <p><b>Life.</b> One attachment at a time. <b>Locks.</b> To be called without the reservation.
 *
 * <p><b>Threads.</b> One uses it; the callback comes on any. A {@link Behaviour#PROMPT} one may be
 * told while it maps: then it keeps what it has just mapped.
 */
public final class MockImporter implements InvalidateMappings {
    /** What can be done to it (section 4.3 of the rules). */
    public enum Kind {
        /** It has no callback; what it maps is pinned. */
        STATIC,
        /** It is told, and maps anew. */
        DYNAMIC,
        /** It pins, and cannot be told. */
        PINNED,
        /** It pins, and is told of a revoke. */
        REVOCABLE
    }

    /** What it does when it is told that its mappings are stale. */
    public enum Behaviour {
        /** Its work ends at once. */
        OBEDIENT,
        /** Its work ends at once, and it gives its addresses back before it returns. */
        PROMPT,
        /** Its work ends when a test says so, by its fence. */
        SLOW,
        /** Its work never ends, and nothing stands for it. */
        HEEDLESS,
        /** The callback does not return while {@link #door} is shut. */
        HANGING,
        /** The callback throws. */
        THROWING,
        /** The callback cannot reserve a place for a fence, and ends its work (DY-40). */
        WITHOUT_SLOT
    }

    private final DmaBufs dmabufs;
    private final ImporterDevice device;
    private final Kind kind;
    private final Door door;
    private final AtomicInteger told = new AtomicInteger();
    private final AtomicReference<@Nullable Fence> work = new AtomicReference<>();
    private volatile Behaviour behaviour = Behaviour.OBEDIENT;
    private @Nullable Attachment attachment;

    /** By hand, not by a map. */
    private boolean pinned;

    private final AtomicReference<@Nullable DmaBufMapping> mapping = new AtomicReference<>();

    /**
     * @param device may be without a function
     */
    public MockImporter(DmaBufs dmabufs, Execution execution, ImporterDevice device, Kind kind) {
        this.dmabufs = dmabufs;
        this.device = device;
        this.kind = kind;
        door = new Door(execution);
    }

    /** Says what it does from now on when it is told. */
    public void behave(Behaviour now) {
        behaviour = now;
    }

    /** {@return where its callback hangs if it is told to} */
    public Door door() {
        return door;
    }

    /** {@return how often it was told that its mappings are stale} */
    public int told() {
        return told.get();
    }

    /** Attaches; the reference of the buffer that this needs is its own. */
    public void attach(DmaBuf buffer) {
        buffer.get();
        try {
            attachment =
                    switch (kind) {
                        case STATIC -> dmabufs.attach(buffer, device);
                        case PINNED -> attach(buffer, null);
                        case DYNAMIC, REVOCABLE -> attach(buffer, this);
                    };
            if (kind == Kind.PINNED || kind == Kind.REVOCABLE) {
                pin(buffer);
            }
        } catch (RuntimeException e) {
            Attachment half = attachment;
            attachment = null;
            if (half != null) {
                dmabufs.detach(buffer, half);
            }
            buffer.put();
            throw e;
        }
    }

    private Attachment attach(DmaBuf buffer, @Nullable InvalidateMappings callback) {
        return dmabufs.dynamicAttach(buffer, device, new AttachOperations(true, callback), this);
    }

    private void pin(DmaBuf buffer) {
        buffer.reservation().whileHeld(_ -> attachment().pin());
        pinned = true;
    }

    /** {@return what it has} */
    public Attachment attachment() {
        Attachment own = attachment;
        if (own == null) {
            throw new IllegalStateException("attach first");
        }
        return own;
    }

    /** Maps, in place of what it had mapped. */
    public DmaBufMapping map(DmaDirection direction) {
        unmap();
        DmaBufMapping made = attachment().mapUnlocked(direction);
        mapping.set(made);
        return made;
    }

    /** Takes what it has mapped back; nothing if it has not. */
    public void unmap() {
        DmaBufMapping own = mapping.getAndSet(null);
        if (own != null) {
            attachment().unmapUnlocked(own, own.direction());
        }
    }

    /** {@return whether it has addresses, stale or not} */
    public boolean isMapped() {
        return mapping.get() != null;
    }

    /** Its device begins to use the buffer, as a reader or a writer. */
    public void begin(FenceUsage usage) {
        Reservation reservation = attachment().buffer().reservation();
        Fence fence = MockFences.next(dmabufs, "work");
        try {
            reservation.whileHeld(held -> { // a callback finds it whole, or not at all
                held.reserveFences(1);
                held.addFence(fence, usage);
                if (!work.compareAndSet(null, fence)) {
                    fence.signal();
                    throw new IllegalStateException("its device is at work");
                }
            });
        } catch (RuntimeException e) {
            fence.put();
            throw e;
        }
    }

    /** Its device has used the buffer; nothing if it was idle. */
    public void end() {
        Fence running = work.getAndSet(null);
        if (running != null) {
            running.signal();
            running.put();
        }
    }

    /** Unpins, detaches, and puts its reference. */
    public void detach() {
        Attachment own = attachment();
        DmaBuf buffer = own.buffer();
        unmap();
        if (pinned) {
            pinned = false;
            buffer.reservation().whileHeld(_ -> own.unpin());
        }
        attachment = null;
        dmabufs.detach(buffer, own);
        buffer.put();
    }

    @Override
    public void invalidateMappings(Attachment its) {
        told.incrementAndGet();
        switch (behaviour) {
            case OBEDIENT -> end();
            case PROMPT -> {
                end();
                DmaBufMapping own = mapping.getAndSet(null);
                if (own != null) {
                    its.unmap(own, own.direction());
                }
            }
            case SLOW, HEEDLESS -> {}
            case HANGING -> door.pass();
            case THROWING -> throw new IllegalStateException("the mock was told to throw");
            case WITHOUT_SLOT -> {
                try {
                    its.buffer().reservation().reserveFences(1);
                } catch (ErrnoException e) {
                    if (e.errno() != Errno.ENOMEM) {
                        throw e;
                    }
                }
                end();
            }
        }
    }

    @Override
    public long inFlight(Attachment its) {
        return behaviour == Behaviour.HEEDLESS ? 1 : 0;
    }
}
