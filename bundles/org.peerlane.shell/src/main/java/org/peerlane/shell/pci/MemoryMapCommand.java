package org.peerlane.shell.pci;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.memory.api.PhysicalMemory;

/** {@code mem:map}: what is where in the physical address space. */
@Component(
        service = MemoryMapCommand.class,
        property = {"osgi.command.scope=mem", "osgi.command.function=map"})
public final class MemoryMapCommand {
    private final PhysicalMemory memory;
    private final PcieBus bus;

    /** For the framework. */
    @Activate
    public MemoryMapCommand(@Reference PhysicalMemory memory, @Reference PcieBus bus) {
        this.memory = memory;
        this.bus = bus;
    }

    /** {@return the map} */
    public String map() {
        return MemoryMap.of(memory.regions(), bus.functions());
    }
}
