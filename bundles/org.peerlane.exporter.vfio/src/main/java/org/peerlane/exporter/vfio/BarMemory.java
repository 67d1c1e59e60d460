package org.peerlane.exporter.vfio;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.MemoryWatcher;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.api.RegisterAccess;

/**
 * A BAR at the physical addresses that page tables name. Loads and stores there go over the bus, as
 * any CPU's do; while there is memory behind the BAR and the bus says that the CPU reaches it, they
 * go there.
 *
 * <p>Whoever takes the BAR from the function behind VFIO's back takes it from processes too: they
 * read all-ones over the bus then, as on a machine.
 *
 * <p><b>Life.</b> While the function is open. <b>Threads.</b> Any.
 */
final class BarMemory implements RegisterAccess, MemoryWatcher, AutoCloseable {
    private static final long PAGE = 4096;

    private final PcieBus bus;
    private final DeviceMemory provided;

    private BarMemory(
            PcieBus bus, AddressSpaces spaces, String name, AddressRange<PhysicalAddress> range) {
        this.bus = bus;
        provided = spaces.provide(name, range, this);
    }

    /**
     * {@return a memory BAR that processes can map; null: they cannot} A small one is given the
     * rest of its page, if nobody else has that (VF-22).
     */
    static @Nullable BarMemory of(
            PcieBus bus, AddressSpaces spaces, String name, AddressRange<PhysicalAddress> bar) {
        if ((bar.first().value() & PAGE - 1) != 0) {
            return null;
        }
        AddressRange<PhysicalAddress> pages =
                AddressRange.ofLength(bar.first(), bar.bytes() + PAGE - 1 & -PAGE);
        BarMemory made;
        try {
            made = new BarMemory(bus, spaces, name, pages);
        } catch (ErrnoException _) {
            return null; // somebody has it
        }
        bus.watchMemory(pages, made);
        return made;
    }

    @Override
    public void reaches(@Nullable MemorySegment bytes) {
        provided.back(bytes == null || bytes.isNative() ? bytes : null);
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
        provided.close();
    }
}
