package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.CpuSignal;
import org.peerlane.memory.api.Mappable;

/** An address space: the parts, and the calls that go to one of them. */
final class ProcessSpace implements AddressSpace {
    private final Hardware hardware;
    private final String name;
    private final MmapLock mmap;
    private final PageTable table;
    private final Layout layout;
    private final Faults faults;
    private final CpuAccess access;
    private final Pins pins;
    private final Locked locked;
    private final Consumer<ProcessSpace> ended;

    /**
     * @param ended called once, when it has been closed
     */
    ProcessSpace(Hardware hardware, String name, Consumer<ProcessSpace> ended) {
        this.hardware = hardware;
        this.ended = ended;
        this.name = name;
        mmap = new MmapLock(hardware.execution);
        table = new PageTable(hardware.execution, hardware.map.ram(), hardware.memory.pages());
        layout = new Layout(this);
        faults = new Faults(this);
        access = new CpuAccess(table, hardware, faults);
        pins = new Pins(this);
        locked = new Locked(name);
    }

    Hardware hardware() {
        return hardware;
    }

    PageTable table() {
        return table;
    }

    Faults faults() {
        return faults;
    }

    void lockRead() {
        mmap.lockRead();
    }

    void unlockRead() {
        mmap.unlockRead();
    }

    boolean isHeldForWrite() {
        return mmap.isHeldForWrite();
    }

    /** [held: mmap lock] */
    @Nullable Vma vma(long address) {
        return layout.find(address);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public CpuMapping map(
            long address,
            long bytes,
            int protection,
            int flags,
            @Nullable Mappable object,
            long offset) {
        MapCall call = new MapCall(address, bytes, protection, flags, object, offset);
        Vma vma;
        mmap.lockWrite();
        try {
            vma = layout.map(call);
        } finally {
            mmap.unlockWrite();
        }
        if ((flags & MAP_POPULATE) != 0) {
            populate(vma.first(), call.bytes(), call.protection().allows(true));
        }
        return vma;
    }

    private void populate(long first, long bytes, boolean write) {
        for (long at = first; at < first + bytes; at += Pte.PAGE) {
            faults.handle(at, write);
        }
    }

    @Override
    public void unmap(long address, long bytes) {
        long rounded = MapCall.checkRange("unmap", address, bytes, Errno.EINVAL);
        mmap.lockWrite();
        try {
            layout.unmap(address, address + rounded);
        } finally {
            mmap.unlockWrite();
        }
    }

    @Override
    public void protect(long address, long bytes, int protection) {
        long rounded = MapCall.checkRange("protect", address, bytes, Errno.ENOMEM);
        Protection now = new Protection(protection);
        mmap.lockWrite();
        try {
            layout.protect(address, address + rounded, now);
        } finally {
            mmap.unlockWrite();
        }
    }

    @Override
    public @Nullable CpuMapping find(long address) {
        mmap.lockRead();
        try {
            return layout.find(address);
        } finally {
            mmap.unlockRead();
        }
    }

    @Override
    public List<CpuMapping> mappings() {
        List<CpuMapping> all = new ArrayList<>();
        mmap.lockRead();
        try {
            layout.forEach(all::add);
        } finally {
            mmap.unlockRead();
        }
        return List.copyOf(all);
    }

    @Override
    public long tablePages() {
        return table.count();
    }

    @Override
    public long entry(long address) {
        mmap.lockRead();
        try {
            return table.entry(address);
        } finally {
            mmap.unlockRead();
        }
    }

    @Override
    public long load(long address, int width) {
        return access.load(address, width);
    }

    @Override
    public void store(long address, int width, long value) {
        access.store(address, width, value);
    }

    @Override
    public void read(long address, MemorySegment target, long offset, long bytes) {
        access.move(false, address, target, offset, bytes);
    }

    @Override
    public void write(long address, MemorySegment source, long offset, long bytes) {
        access.move(true, address, source, offset, bytes);
    }

    @Override
    public void copy(long from, long to, long bytes) {
        access.copy(from, to, bytes);
    }

    @Override
    public void copyFromUser(long address, MemorySegment target, long offset, long bytes) {
        try {
            access.move(false, address, target, offset, bytes);
        } catch (CpuSignal e) {
            throw efault("from", address, bytes, e);
        }
    }

    @Override
    public void copyToUser(long address, MemorySegment source, long offset, long bytes) {
        try {
            access.move(true, address, source, offset, bytes);
        } catch (CpuSignal e) {
            throw efault("to", address, bytes, e);
        }
    }

    private ErrnoException efault(String where, long address, long bytes, CpuSignal why) {
        return new ErrnoException(
                Errno.EFAULT,
                "%s: copy of %d bytes %s 0x%x: %s"
                        .formatted(name, bytes, where, address, why.getMessage()),
                why);
    }

    @Override
    public Pinned pin(long address, long bytes, int flags) {
        return pins.pin(address, bytes, flags);
    }

    @Override
    public Locked lockedMemory() {
        return locked;
    }

    @Override
    public void close() {
        mmap.lockWrite();
        try {
            layout.close();
        } finally {
            mmap.unlockWrite();
        }
        ended.accept(this);
    }

    @Override
    public String toString() {
        return name;
    }
}
