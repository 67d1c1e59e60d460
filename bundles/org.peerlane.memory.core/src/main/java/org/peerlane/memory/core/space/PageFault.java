package org.peerlane.memory.core.space;

import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;

/** One fault, for one call of a handler. */
final class PageFault implements Fault {
    private final Vma vma;
    private final long address;
    private final boolean write;
    private boolean covered;
    private boolean released;

    PageFault(Vma vma, long address, boolean write) {
        this.vma = vma;
        this.address = address;
        this.write = write;
    }

    @Override
    public CpuMapping mapping() {
        return vma;
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public long offset() {
        return vma.offset() + address - vma.first();
    }

    @Override
    public boolean isWrite() {
        return write;
    }

    @Override
    public long aroundFirst() {
        return Math.max(vma.first(), address & -AROUND_BYTES);
    }

    @Override
    public long aroundBytes() {
        return Math.min(vma.end(), (address & -AROUND_BYTES) + AROUND_BYTES) - aroundFirst();
    }

    @Override
    public void insert(long at, long physical, long bytes, boolean writable) {
        if (released) {
            throw new IllegalStateException("insertion after release, at 0x%x".formatted(at));
        }
        vma.insert(at, physical, bytes, writable, true);
        covered |= at <= address && address < at + bytes;
    }

    @Override
    public void release() {
        if (!released) {
            released = true;
            vma.space().unlockRead();
        }
    }

    boolean isCovered() {
        return covered;
    }

    boolean isReleased() {
        return released;
    }
}
