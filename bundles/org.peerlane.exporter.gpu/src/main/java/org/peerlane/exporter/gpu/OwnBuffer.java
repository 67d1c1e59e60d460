package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.RefCount;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;

/**
 * A buffer of the card's own.
 *
 * <p><b>Life.</b> Held by its handle and by the DMA-BUF made of it; when both have let go, its
 * memory is freed behind whatever still uses it. A card that leaves takes the memory of all of
 * them.
 *
 * <p><b>Locks.</b> Storage and pins change under the reservation; what is {@code volatile} may be
 * looked at without it, and is out of date then.
 */
final class OwnBuffer extends CardBuffer {
    private final Set<Placement> domains;
    private final Reservation reservation;
    private final CpuView view;
    private final AtomicLong losses = new AtomicLong();
    private final RefCount holders = new RefCount("buffer of a GPU", this::die);

    /** Changes under the reservation. */
    private volatile Storage storage;

    /** Changes under the reservation. */
    private volatile boolean dead;

    /** Where it goes back to. Changes under the reservation. */
    private volatile Placement preferred;

    /** Why it is not where it wants to be; null: it is. Changes under the reservation. */
    private volatile @Nullable String displacedBy;

    /** Changes under the reservation. */
    private volatile boolean visible;

    /** Changes under the reservation. */
    private volatile int pins;

    /** How many tables of importers name VRAM, of whatever place. [held] */
    private int peers;

    /** How many hold it by its handle. Changes under the card's lock. */
    private volatile int handles;

    OwnBuffer(Card card, long handle, GpuAllocation request, long bytes, Storage storage) {
        super(card, handle, bytes);
        domains = request.domains();
        visible = request.cpuVisible();
        this.storage = storage;
        preferred = domains.contains(Placement.VRAM) ? Placement.VRAM : Placement.GTT;
        displacedBy = preferred == storage.placement() ? null : "there was no room in the VRAM";
        reservation = card.surroundings().dmabufs.newReservation(toString());
        view = new CpuView(this);
    }

    // ---- where it is

    Storage storage() {
        return storage;
    }

    /** [held] */
    void storage(Storage now) {
        storage = now;
    }

    Set<Placement> domains() {
        return domains;
    }

    /** [held] It is somewhere else than it should be. */
    void displaced(String why) {
        displacedBy = why;
    }

    boolean mustBeVisible() {
        return visible;
    }

    /** [held] From now on it lies behind the BAR while it is in the VRAM. */
    void beVisible() {
        visible = true;
    }

    boolean isPinned() {
        return pins > 0;
    }

    /** [held] */
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the reservation
    void pin() {
        pins++;
    }

    /** [held] */
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the reservation
    void unpin() {
        pins--;
    }

    /** [held] An importer reaches VRAM from now on. */
    void addPeer() {
        peers++;
    }

    /** [held] An importer has let go of VRAM. */
    void removePeer() {
        peers--;
    }

    /** {@return [held] whether an importer has addresses of VRAM, be they stale} */
    boolean hasPeers() {
        return peers > 0;
    }

    /** [held] It is being used; or new. */
    void touched() {
        if (!dead) {
            card.lru().touch(this);
        }
    }

    /** {@return whether its memory has been given back, or is about to be} */
    boolean isDead() {
        return dead;
    }

    /** Its content is gone. */
    void lost() {
        losses.incrementAndGet();
    }

    @Override
    public boolean isImported() {
        return false;
    }

    @Override
    public Placement placement() {
        return storage.placement();
    }

    @Override
    public String whereabouts() {
        Storage now = storage;
        String why = displacedBy;
        return "%s%s%s%s"
                .formatted(
                        now.placement(),
                        now.isVisible() ? "" : ", beyond the BAR",
                        isPinned() ? ", pinned" : "",
                        why == null ? "" : ": " + why);
    }

    @Override
    public long losses() {
        return losses.get();
    }

    @Override
    public Reservation reservation() {
        return reservation;
    }

    @Override
    public void move(Placement to) {
        requireOpen();
        if (to != Placement.SYSTEM && !domains.contains(to)) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s may lie in %s, not in %s".formatted(this, domains, to));
        }
        reservation.lock(null);
        try {
            requireAlive();
            card.mover().move(this, to, Mover.Effort.EVICT);
            preferred = to == Placement.VRAM ? Placement.VRAM : Placement.GTT;
            displacedBy = null;
            touched();
        } finally {
            reservation.unlock();
        }
    }

    /** [held] */
    void requireAlive() {
        if (isDead()) {
            throw new ErrnoException(Errno.ENODEV, this + " is gone with its card");
        }
    }

    // ---- the engine

    @Override
    List<Run> runs() {
        requireAlive();
        comeBack();
        if (storage instanceof SystemStorage pages) {
            card.mover().bind(pages, this);
        }
        return storage.runs();
    }

    /** [held] Who has been evicted returns when it is used, if there is room now. */
    private void comeBack() {
        if (displacedBy == null
                || preferred != Placement.VRAM
                || placement() == Placement.VRAM
                || isPinned()
                || !takePeers()) {
            return;
        }
        try {
            card.mover().move(this, Placement.VRAM, Mover.Effort.FREE);
            displacedBy = null;
        } catch (ErrnoException e) {
            // it is used where it is
        }
    }

    /** [held] {@return whether all who are attached reach the VRAM} */
    boolean takePeers() {
        DmaBuf buffer = live();
        if (buffer == null) {
            return true;
        }
        try {
            return buffer.attachments().stream().allMatch(Attachment::peer2peer);
        } finally {
            buffer.putLater();
        }
    }

    @Override
    void used(Fence fence, boolean write) {
        super.used(fence, write);
        touched();
    }

    // ---- other devices

    @Override
    public DmaBuf export(int flags) {
        hold();
        try {
            return card.exports().export(this, flags);
        } finally {
            put();
        }
    }

    /** {@return the DMA-BUF made of it, with a reference, or null: there is none} */
    @Nullable DmaBuf live() {
        return card.exports().live(this);
    }

    /** [held] Importers' mappings are stale (GX-10). */
    void invalidate() {
        DmaBuf buffer = live();
        if (buffer != null) {
            try {
                card.surroundings().dmabufs.invalidateMappings(buffer);
            } finally {
                buffer.putLater();
            }
        }
    }

    // ---- processes

    @Override
    public CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        hold();
        try {
            return view.mmap(space, address, bytes, protection, flags, offset);
        } finally {
            put();
        }
    }

    CpuView view() {
        return view;
    }

    /** [held] No process reaches it when this returns; a touch finds it anew. */
    void zap() {
        view.zap();
    }

    // ---- its end

    void get() {
        holders.get();
    }

    void put() {
        holders.put();
    }

    /** It stays until {@link #put}, whoever closes it meanwhile. */
    private void hold() {
        requireOpen();
        if (!holders.getUnlessZero()) {
            throw new ErrnoException(Errno.EBADF, this + " is closed");
        }
    }

    /** One more handle: it was taken in by the card that it is of (GX-2). */
    void open() {
        get();
        boolean opened = false;
        try {
            card.remember(this);
            opened = true;
        } finally {
            if (!opened) {
                put();
            }
        }
    }

    /** [card's lock] One more handle. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the card's lock
    @Override
    void opened() {
        handles++;
    }

    /** [card's lock] One handle less. {@return whether there was one} */
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the card's lock
    @Override
    boolean closed() {
        if (handles == 0) {
            return false;
        }
        handles--;
        return true;
    }

    @Override
    boolean isClosed() {
        return handles == 0;
    }

    @Override
    public void close() {
        if (card.forget(this)) {
            put();
        }
    }

    /** Its memory goes, behind all that uses it; no process reaches it. Again is fine. */
    private void die() {
        if (dead) {
            return;
        }
        Storage last;
        List<Fence> uses;
        reservation.lock(null);
        try {
            if (dead) {
                return;
            }
            dead = true; // nobody moves it from here on
            card.lru().remove(this);
            last = storage;
            uses = new ArrayList<>(reservation.getFences(FenceUsage.BOOKKEEP));
        } finally {
            reservation.unlock();
        }
        view.close();
        card.reaper().add(uses, last::free);
    }

    @Override
    void leave() {
        die();
        while (!isClosed()) {
            close();
        }
    }
}
