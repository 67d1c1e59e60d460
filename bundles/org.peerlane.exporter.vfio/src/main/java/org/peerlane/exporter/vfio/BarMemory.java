package org.peerlane.exporter.vfio;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.api.RegisterAccess;

/**
 * A function's BARs at the physical addresses that page tables name: loads and stores there go over
 * the bus, as any CPU's do.
 *
 * <p><b>Life.</b> While the function is open. <b>Threads.</b> Any.
 */
final class BarMemory implements RegisterAccess, AutoCloseable {
    private static final long PAGE = 4096;

    private final PcieBus bus;
    private final @Nullable DeviceMemory[] provided;

    /**
     * @param bars by index; null where there is no memory BAR
     */
    BarMemory(
            PcieBus bus,
            AddressSpaces spaces,
            String name,
            @Nullable AddressRange<PhysicalAddress>[] bars) {
        this.bus = bus;
        provided = new DeviceMemory[bars.length];
        for (int i = 0; i < bars.length; i++) {
            AddressRange<PhysicalAddress> bar = bars[i];
            if (bar != null) {
                provided[i] = provide(spaces, name + " BAR " + i, bar);
            }
        }
    }

    /** A small BAR is given the rest of its page, if nobody else has that (VF-22). */
    private @Nullable DeviceMemory provide(
            AddressSpaces spaces, String name, AddressRange<PhysicalAddress> bar) {
        if ((bar.first().value() & PAGE - 1) != 0) {
            return null;
        }
        try {
            return spaces.provide(
                    name, AddressRange.ofLength(bar.first(), bar.bytes() + PAGE - 1 & -PAGE), this);
        } catch (ErrnoException _) {
            return null; // somebody has it
        }
    }

    /** {@return whether processes can map a BAR} */
    boolean isMappable(int index) {
        return provided[index] != null;
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
        for (DeviceMemory one : provided) {
            if (one != null) {
                one.close();
            }
        }
    }
}
