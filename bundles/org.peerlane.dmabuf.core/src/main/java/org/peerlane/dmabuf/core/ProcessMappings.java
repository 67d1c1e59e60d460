package org.peerlane.dmabuf.core;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBufOperations.Mmap;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;

/**
 * A buffer in processes (DB-54, DB-55). Each mapping holds a reference of the buffer.
 *
 * <p><b>Revoked</b>, a buffer has no new mappings, and a touch of an old one is a bus error until
 * access is given back. A fault that had begun before ends before the zap.
 *
 * <p><b>Locks.</b> Called with the mmap lock. The last reference is never put with it held.
 */
final class ProcessMappings implements MappingOperations {
    private static final long PAGE = 4096;

    private final Buffer buffer;
    private final Services services;
    private final NamedLock lock;
    private final AtomicInteger count = new AtomicInteger();

    /** Made at the first mmap. Guarded by lock. */
    private @Nullable Mappable object;

    ProcessMappings(Buffer buffer, Services services, NamedLock lock) {
        this.buffer = buffer;
        this.services = services;
        this.lock = lock;
    }

    int count() {
        return count.get();
    }

    CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        if (offset < 0 || bytes < 0 || offset + bytes < 0) {
            throw new ErrnoException(
                    Errno.EOVERFLOW,
                    "mmap of %#x bytes of %s at offset %#x: past the end of what can be addressed"
                            .formatted(bytes, buffer, offset));
        }
        checkMode(protection, flags);
        Exporter its = buffer.exporter();
        if (!(its.operations() instanceof Mmap exporter)) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s cannot be mapped into processes".formatted(buffer));
        }
        long pages = (bytes + PAGE - 1) / PAGE;
        if (offset % PAGE != 0 || offset / PAGE + pages > buffer.size() / PAGE) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "mmap of %#x bytes at offset %#x of %s, which has %#x"
                            .formatted(bytes, offset, buffer, buffer.size()));
        }
        AddressSpaces spaces = services.spaces;
        if (spaces == null) {
            throw new ErrnoException(Errno.ENODEV, "this machine has no processes");
        }
        CpuMapping mapping =
                space.map(
                        address,
                        bytes,
                        protection,
                        flags,
                        object(spaces, its.callee(), exporter),
                        offset);
        if (services.trace.mmap.isOn()) {
            services.trace.mmap.emit(new DmaBufEvents.DmaBufMmap(buffer.id(), offset, bytes));
        }
        return mapping;
    }

    private void checkMode(int protection, int flags) {
        int mode = buffer.flags() & ExportInfo.O_ACCMODE;
        boolean shared = (flags & AddressSpace.MAP_SHARED) != 0;
        if (mode == ExportInfo.O_WRONLY
                || mode == ExportInfo.O_RDONLY
                        && shared
                        && (protection & AddressSpace.PROT_WRITE) != 0) {
            throw new ErrnoException(
                    Errno.EACCES,
                    "mmap with protection %d of %s, whose file has access mode %d"
                            .formatted(protection, buffer, mode));
        }
        if ((protection & AddressSpace.PROT_EXEC) != 0) {
            throw new ErrnoException(
                    Errno.EPERM,
                    "mmap of %s for execution, which no buffer allows".formatted(buffer));
        }
    }

    private Mappable object(AddressSpaces spaces, Callee callee, Mmap exporter) {
        lock.lock();
        try {
            Mappable made = object;
            if (made != null) {
                return made;
            }
        } finally {
            lock.unlock();
        }
        MappableKind kind =
                services.callouts.ask(buffer, callee, "kind", () -> exporter.kind(buffer));
        Mappable made = spaces.object(buffer.toString(), kind, this);
        lock.lock();
        try {
            Mappable other = object;
            if (other == null) {
                object = made;
                return made;
            }
            return other;
        } finally {
            lock.unlock();
        }
    }

    /** Takes the buffer out of all page tables. */
    void zap() {
        Mappable made;
        lock.lock();
        try {
            made = object;
        } finally {
            lock.unlock();
        }
        if (made != null) {
            made.unmapRange(0, Long.MAX_VALUE);
        }
    }

    @Override
    public void mapped(CpuMapping mapping) {
        services.checks.enterMmapLock();
        try {
            begins(mapping);
        } finally {
            services.checks.leaveMmapLock();
        }
    }

    private void begins(CpuMapping mapping) {
        Exporter its = buffer.exporter();
        if (!(its.operations() instanceof Mmap exporter)) {
            throw new ErrnoException(Errno.ENODEV, "%s has lost its exporter".formatted(buffer));
        }
        if (!buffer.revocation().faultBegins()) {
            buffer.revocation().requireOk("mmap");
            throw new ErrnoException(Errno.ENODEV, "mmap of %s during a revoke".formatted(buffer));
        }
        try {
            if (mapping.isShared()
                    && (buffer.flags() & ExportInfo.O_ACCMODE) == ExportInfo.O_RDONLY) {
                mapping.forbidWrite();
            }
            services.callouts.ask(
                    buffer,
                    its.callee(),
                    "mmap",
                    () -> {
                        exporter.mmap(buffer, mapping);
                        return true;
                    });
        } finally {
            buffer.revocation().faultEnds();
        }
        open(mapping);
    }

    @Override
    public void open(CpuMapping mapping) {
        buffer.fileReference().get();
        count.incrementAndGet();
    }

    @Override
    public void close(CpuMapping mapping) {
        count.decrementAndGet();
        buffer.putLater();
    }

    @Override
    public FaultResult fault(Fault fault) {
        Exporter its = buffer.exporter();
        if (!(its.operations() instanceof Mmap exporter) || !buffer.revocation().faultBegins()) {
            return FaultResult.BUS_ERROR;
        }
        MmapLockHeld lockHeld = MmapLockHeld.by(fault, services.checks);
        Fault given = lockHeld == null ? fault : lockHeld;
        try {
            services.points.faultEntered.reached();
            FaultResult result =
                    services.callouts.<@Nullable FaultResult>ask(
                            buffer, its.callee(), "fault", () -> exporter.fault(buffer, given));
            return result == null ? FaultResult.BUS_ERROR : result;
        } finally {
            if (lockHeld != null) {
                lockHeld.ended();
            }
            buffer.revocation().faultEnds();
        }
    }
}
