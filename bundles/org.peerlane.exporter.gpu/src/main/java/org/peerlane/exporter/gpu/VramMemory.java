package org.peerlane.exporter.gpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.MemoryWatcher;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.api.RegisterAccess;

/**
 * The VRAM at the physical addresses that page tables name: loads and stores there reach it while
 * the bus says that the CPU does, and go over the bus else, as any CPU's do.
 *
 * <p><b>Life.</b> As long as the card is driven. <b>Threads.</b> Any.
 */
final class VramMemory implements RegisterAccess, MemoryWatcher, AutoCloseable {
    private final PcieBus bus;
    private final @Nullable DeviceMemory provided;

    VramMemory(Surroundings surroundings, String name, AddressRange<PhysicalAddress> bar) {
        bus = surroundings.bus;
        DeviceMemory made;
        try {
            made = surroundings.spaces.provide(name + " VRAM", bar, this);
        } catch (ErrnoException e) {
            made = null; // somebody has it: processes take bus errors
        }
        provided = made;
        if (made != null) {
            bus.watchMemory(bar, this);
        }
    }

    @Override
    public void reaches(@Nullable MemorySegment bytes) {
        if (provided != null) {
            provided.back(bytes == null || bytes.isNative() ? bytes : null);
        }
    }

    @Override
    public long read(long physical, int width) {
        return bus.load(physical, width);
    }

    @Override
    public void write(long physical, int width, long value) {
        bus.store(physical, width, value);
    }

    @Override
    public void close() {
        bus.unwatchMemory(this);
        if (provided != null) {
            provided.close();
        }
    }
}
