package org.peerlane.exporter.gpu;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.gpu.api.GpuMemory;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * The memory that a card's buffers lie in, while there is room.
 *
 * <p>VRAM that an eviction leaves is given out again at once, while the copy out of it is still
 * queued: who gets VRAM also gets the fence of the last such copy to wait for (GX-4).
 *
 * <p><b>Threads.</b> Any.
 */
final class Pools {
    private final Surroundings surroundings;
    private final DmaDevice dma;
    private final AddressRange<PhysicalAddress> bar;
    private final VramAllocator vram;
    private final SystemStorage.Aperture aperture;
    private final AtomicLong vramEvictions = new AtomicLong();
    private final AtomicLong gttEvictions = new AtomicLong();
    private final NamedLock lock;

    /** Of the last eviction; guarded by lock. */
    private @Nullable Fence lastEviction;

    Pools(
            Surroundings surroundings,
            DmaDevice dma,
            long vramBytes,
            AddressRange<PhysicalAddress> bar) {
        this.surroundings = surroundings;
        this.dma = dma;
        this.bar = bar;
        vram = new VramAllocator(surroundings.execution, vramBytes);
        aperture = new SystemStorage.Aperture(surroundings.gttBytes, new AtomicLong());
        lock = surroundings.execution.lock("gpu.pools");
    }

    AddressRange<PhysicalAddress> bar() {
        return bar;
    }

    /** {@return memory in the card, or null: there is none free} */
    @Nullable VramStorage vram(long bytes, boolean visible) {
        List<VramAllocator.Block> blocks =
                vram.allocate(bytes, visible ? bar.bytes() : vram.bytes());
        return blocks == null ? null : new VramStorage(vram, blocks, bar);
    }

    /**
     * {@return memory in RAM, which the card does not address yet}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM}
     */
    SystemStorage system(long bytes) {
        return new SystemStorage(
                SystemPages.allocate(surroundings.memory, bytes), bytes, dma, aperture);
    }

    /** VRAM is free as soon as a copy out of it has ended. */
    void evicted(VramStorage storage, Fence copy) {
        Fence before;
        lock.lock();
        try {
            before = lastEviction;
            lastEviction = copy.get();
        } finally {
            lock.unlock();
        }
        if (before != null) {
            before.put();
        }
        vramEvictions.incrementAndGet();
        storage.free();
    }

    void evictedFromGtt() {
        gttEvictions.incrementAndGet();
    }

    /** Adds what has to end before VRAM that was given out just now may be used. */
    void addEviction(List<Fence> waits) {
        lock.lock();
        try {
            Fence last = lastEviction;
            if (last != null && !last.isSignaled()) {
                waits.add(last.get());
            }
        } finally {
            lock.unlock();
        }
    }

    List<GpuMemory> memory() {
        return List.of(
                new GpuMemory(
                        Placement.VRAM,
                        vram.bytes(),
                        bar.bytes(),
                        vram.bytes() - vram.free(),
                        vramEvictions.get()),
                new GpuMemory(
                        Placement.GTT,
                        aperture.limit(),
                        aperture.limit(),
                        aperture.used().get(),
                        gttEvictions.get()));
    }

    /** Nobody asks any more. */
    void close() {
        lock.lock();
        try {
            Fence last = lastEviction;
            lastEviction = null;
            if (last != null) {
                last.put();
            }
        } finally {
            lock.unlock();
        }
    }
}
