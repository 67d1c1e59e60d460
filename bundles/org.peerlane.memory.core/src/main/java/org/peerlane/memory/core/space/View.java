package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Window;

/** A window, and the view it had last. */
final class View implements Window {
    private final Vma vma;
    private final long address;
    private final boolean write;
    private volatile MemorySegment view;

    View(Vma vma, long address, boolean write) {
        this.vma = vma;
        this.address = address;
        this.write = write;
        view = vma.openView(address, write);
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
    public boolean isOpen() {
        return view.scope().isAlive();
    }

    @Override
    public MemorySegment segment() {
        MemorySegment now = view;
        if (!now.scope().isAlive()) {
            now = vma.openView(address, write);
            view = now;
        }
        return now;
    }

    @Override
    public void read(long at, MemorySegment target, long offset, long bytes) {
        MemorySegment now = inView(at, target, offset, bytes);
        if (now != null) {
            try {
                vma.space().hardware().translated.reached();
                MemorySegment.copy(now, at, target, offset, bytes);
                return;
            } catch (IllegalStateException closed) {
                rethrowUnlessOurs(target, closed);
            }
        }
        vma.space().read(address + at, target, offset, bytes);
    }

    @Override
    public void write(long at, MemorySegment source, long offset, long bytes) {
        MemorySegment now = write ? inView(at, source, offset, bytes) : null;
        if (now != null) {
            try {
                vma.space().hardware().translated.reached();
                MemorySegment.copy(source, offset, now, at, bytes);
                return;
            } catch (IllegalStateException closed) {
                rethrowUnlessOurs(source, closed);
            }
        }
        vma.space().write(address + at, source, offset, bytes);
    }

    /** {@return the view if it is open and long enough, else null} */
    private @Nullable MemorySegment inView(long at, MemorySegment local, long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, local.byteSize());
        MemorySegment now = view;
        return at >= 0 && bytes <= now.byteSize() - at && now.scope().isAlive() ? now : null;
    }

    private static void rethrowUnlessOurs(MemorySegment local, IllegalStateException closed) {
        if (!local.scope().isAlive()) {
            throw closed;
        }
    }
}
