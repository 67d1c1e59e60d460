package org.peerlane.bus.pcie;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/** One region of RAM from 1 MiB on, without an allocator. */
final class TestMemory implements PhysicalMemory {
    static final long BASE = 0x10_0000;
    static final long BYTES = 0x10_0000;
    static final long END = BASE + BYTES;

    final MemorySegment ram = Arena.ofAuto().allocate(BYTES, 4096);
    private final MemoryRegion region =
            new MemoryRegion("ram0", AddressRange.ofLength(new PhysicalAddress(BASE), BYTES), ram);

    @Override
    public List<MemoryRegion> regions() {
        return List.of(region);
    }

    @Override
    public @Nullable MemoryRegion find(long physical) {
        return region.range().contains(new PhysicalAddress(physical)) ? region : null;
    }

    @Override
    public PageAllocator pages() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void read(long physical, MemorySegment target, long offset, long bytes) {
        MemorySegment.copy(ram, physical - BASE, target, offset, bytes);
    }

    @Override
    public void write(long physical, MemorySegment source, long offset, long bytes) {
        MemorySegment.copy(source, offset, ram, physical - BASE, bytes);
    }
}
