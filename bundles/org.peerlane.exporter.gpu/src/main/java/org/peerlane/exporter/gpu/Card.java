package org.peerlane.exporter.gpu;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.GpuMemory;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * One card: its parts, and the buffers that are open on it.
 *
 * <p><b>Life.</b> From probe to {@link #close}. {@link CardReset} takes it down and up between.
 *
 * <p><b>Locks.</b> {@code gpu.handles}, a leaf, guards the list of open buffers.
 */
final class Card implements Gpu {
    private static final long PAGE = VramAllocator.PAGE;
    private static final int DMA_BITS = 64;

    private final Surroundings surroundings;
    private final PcieFunction function;
    private final DmaDevice dma;
    private final Hardware hardware;
    private final CommandRing ring;
    private final Pools pools;
    private final VramStorage scratch;
    private final VramMemory memory;
    private final Engine engine;
    private final Reaper reaper;
    private final Lru lru;
    private final Mover mover;
    private final Exports exports;
    private final Allocations allocations;
    private final Work work;
    private final CardReset reset;
    private final NamedLock lock;

    /** By handle; guarded by lock. */
    private final Map<Long, CardBuffer> open = new TreeMap<>();

    /** Guarded by lock. */
    private long lastHandle;

    /** Guarded by lock. */
    private boolean leaving;

    /**
     * Takes a card over.
     *
     * @throws ErrnoException {@code ENODEV} it is no such card, or gone; {@code ENOMEM}; {@code
     *     EBUSY} somebody has its interrupts or its memory
     */
    Card(Surroundings surroundings, PcieFunction function) {
        this.surroundings = surroundings;
        this.function = function;
        dma = surroundings.dma.device(function.address());
        dma.mask(DMA_BITS);
        lock = surroundings.execution.lock("gpu.handles");
        hardware = new Hardware(surroundings.execution, surroundings.bus, function);
        hardware.enable(surroundings.resize);
        pools = new Pools(surroundings, dma, hardware.vram(), hardware.bar());
        VramStorage page = pools.vram(PAGE, false);
        if (page == null) {
            throw new ErrnoException(Errno.ENOMEM, name() + " has no VRAM");
        }
        scratch = page;
        memory = new VramMemory(surroundings, name(), pools.bar());
        CommandRing made = null;
        boolean whole = false;
        try {
            made = new CommandRing(surroundings.memory, dma);
            ring = made;
            reset = new CardReset(surroundings, this, hardware);
            engine =
                    new Engine(
                            surroundings,
                            name(),
                            hardware,
                            ring,
                            scratch.runs().getFirst(),
                            reset::recover);
            hardware.onInterrupts(engine::onNews, engine::onFence, engine::onNews);
            whole = true;
        } finally {
            if (!whole) {
                memory.close();
                hardware.close(false);
                if (made != null) {
                    made.close();
                }
            }
        }
        reaper = new Reaper(surroundings.execution, name());
        lru = new Lru(surroundings.execution);
        mover = new Mover(surroundings, this, pools, lru, engine, reaper);
        exports = new Exports(surroundings, this);
        allocations = new Allocations(surroundings, this, pools, mover, engine);
        work = new Work(surroundings.dmabufs, engine);
        engine.start();
        reset.up();
    }

    Surroundings surroundings() {
        return surroundings;
    }

    DmaDevice dma() {
        return dma;
    }

    Engine engine() {
        return engine;
    }

    Reaper reaper() {
        return reaper;
    }

    Lru lru() {
        return lru;
    }

    Mover mover() {
        return mover;
    }

    Exports exports() {
        return exports;
    }

    Work work() {
        return work;
    }

    /** {@return the BAR, for peers} */
    PeerProvider provider() {
        return surroundings.bus.peerProvider(function, GpuRegisters.MEMORY);
    }

    /** {@return whether its VRAM can be used} */
    boolean isUp() {
        return reset.isUp();
    }

    /**
     * Refuses what needs the engine.
     *
     * @throws ErrnoException {@code ECANCELED} it is being reset, or does not come back
     */
    void requireUp() {
        if (!isUp()) {
            throw new ErrnoException(Errno.ECANCELED, name() + " is being reset");
        }
    }

    /**
     * Refuses everything once the card leaves.
     *
     * @throws ErrnoException {@code ENODEV}
     */
    void requireHere() {
        lock.lock();
        try {
            if (leaving) {
                throw new ErrnoException(Errno.ENODEV, name() + " leaves");
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * [held] The CPU or a peer is to reach a buffer that lies beyond the BAR: behind it, or in RAM.
     *
     * @throws ErrnoException there is no room in either
     */
    void bringIntoReach(OwnBuffer buffer) {
        buffer.beVisible();
        try {
            mover.move(buffer, Placement.VRAM, Mover.Effort.EVICT);
        } catch (ErrnoException e) {
            if (!buffer.domains().contains(Placement.GTT)) {
                throw e;
            }
            mover.move(buffer, Placement.GTT, Mover.Effort.EVICT);
            buffer.displaced("there was no room behind the BAR");
        }
    }

    // ---- for users

    @Override
    public String name() {
        return function.slot();
    }

    @Override
    public PcieFunction function() {
        return function;
    }

    @Override
    public List<GpuMemory> memory() {
        return pools.memory();
    }

    @Override
    public GpuBuffer allocate(GpuAllocation request) {
        return allocations.allocate(request);
    }

    /** {@return a number that no buffer has had} */
    long nextHandle() {
        lock.lock();
        try {
            return ++lastHandle;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public GpuBuffer importBuffer(DmaBuf buffer) {
        requireHere();
        if (buffer.privateData() instanceof OwnBuffer own && own.card == this) {
            own.open();
            return own;
        }
        buffer.get();
        ImportedBuffer made = null;
        boolean whole = false;
        try {
            made = new ImportedBuffer(this, nextHandle(), buffer);
            remember(made);
            whole = true;
            return made;
        } finally {
            if (!whole) {
                if (made == null) {
                    buffer.put();
                } else {
                    made.end();
                }
            }
        }
    }

    /**
     * A handle that counts from now on.
     *
     * @throws ErrnoException {@code ENODEV} the card leaves
     */
    void remember(CardBuffer buffer) {
        lock.lock();
        try {
            if (leaving) {
                throw new ErrnoException(Errno.ENODEV, name() + " leaves");
            }
            buffer.opened();
            open.put(buffer.handle(), buffer);
        } finally {
            lock.unlock();
        }
    }

    /** A handle that counts no more. {@return whether there was one} */
    boolean forget(CardBuffer buffer) {
        lock.lock();
        try {
            boolean was = buffer.closed();
            if (was && buffer.isClosed()) {
                open.remove(buffer.handle(), buffer);
            }
            return was;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<GpuBuffer> buffers() {
        lock.lock();
        try {
            return List.copyOf(open.values());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public GpuBuffer buffer(long handle) {
        lock.lock();
        try {
            CardBuffer found = open.get(handle);
            if (found == null) {
                throw new ErrnoException(
                        Errno.ENOENT, "%s has no buffer %d".formatted(name(), handle));
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int evict() {
        requireHere();
        return mover.evictAll();
    }

    @Override
    public void reset() {
        requireHere();
        reset.reset();
    }

    @Override
    public long resets() {
        return reset.count();
    }

    /** Somebody has reset it behind the driver's back. */
    void wasReset() {
        reset.wasReset();
    }

    // ---- its end

    /**
     * The driver leaves it. Its own work first: importers wait for that. Then importers, and
     * without a lock: a reset may hold all buffers and wait for an importer that only a departure
     * ends.
     */
    void close(boolean gone) {
        List<CardBuffer> left;
        lock.lock();
        try {
            leaving = true;
            left = List.copyOf(open.values());
        } finally {
            lock.unlock();
        }
        reset.end();
        exports.depart();
        reset.close();
        engine.close();
        left.forEach(CardBuffer::leave);
        lru.all().forEach(OwnBuffer::leave); // of which only a DMA-BUF is left
        reaper.close();
        memory.close();
        hardware.close(gone);
        ring.close();
        pools.close();
    }

    @Override
    public String toString() {
        return name();
    }
}
