package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.memory.api.Memfd;
import org.peerlane.memory.api.PageReferences;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.memory.api.RegisterAccess;

/**
 * The address spaces of the machine.
 *
 * <p><b>Life.</b> Until {@link #close}, which closes those that are left, and their windows with
 * them: the memory may be unmapped after that and not before.
 */
@Component(service = AddressSpaces.class)
public final class ProcessSpaces implements AddressSpaces, AutoCloseable {
    private final Hardware hardware;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Set<ProcessSpace> open = new LinkedHashSet<>();

    private boolean closed;

    /** Made by the framework, or by hand. */
    @Activate
    public ProcessSpaces(@Reference Execution execution, @Reference PhysicalMemory memory) {
        hardware = new Hardware(execution, memory);
        lock = execution.lock("memory.spaces");
    }

    @Override
    public AddressSpace create(String name) {
        ProcessSpace process = new ProcessSpace(hardware, name, this::forget);
        lock.lock();
        try {
            if (!closed) {
                open.add(process);
                return process;
            }
        } finally {
            lock.unlock();
        }
        process.close();
        throw new ErrnoException(Errno.ENODEV, "%s: the memory is going".formatted(name));
    }

    private void forget(ProcessSpace process) {
        lock.lock();
        try {
            open.remove(process);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Mappable object(String name, MappableKind kind, MappingOperations operations) {
        return new SharedObject(hardware, name, kind, operations);
    }

    @Override
    public Memfd memfd(String name, boolean sealable) {
        return new ShmemFile(hardware, name, sealable);
    }

    @Override
    public DeviceMemory provide(
            String name, AddressRange<PhysicalAddress> range, MemorySegment segment) {
        return hardware.map.add(name, range, segment, null);
    }

    @Override
    public DeviceMemory provide(
            String name, AddressRange<PhysicalAddress> range, RegisterAccess registers) {
        return hardware.map.add(name, range, null, registers);
    }

    @Override
    public PageReferences pages() {
        return hardware.refs;
    }

    /** Closes what is left. */
    @Override
    @Deactivate
    public void close() {
        List<ProcessSpace> left;
        lock.lock();
        try {
            closed = true;
            left = List.copyOf(open);
        } finally {
            lock.unlock();
        }
        left.forEach(ProcessSpace::close);
    }
}
