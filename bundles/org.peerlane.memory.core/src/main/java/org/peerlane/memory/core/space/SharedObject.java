package org.peerlane.memory.core.space;

import java.util.Arrays;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;

/**
 * An object and its mappings. Anonymous memory has one too, which nobody sees.
 *
 * <p><b>Locks.</b> {@code memory.object}: guards the list of mappings, their bounds (with the mmap
 * lock), and the windows. Held through each zap, flush included, so that a zap that finds nothing
 * knows that whoever cleared it has flushed.
 */
final class SharedObject implements Mappable {
    private final Hardware hardware;
    private final String name;
    private final MappableKind kind;
    private final NamedLock lock;
    private final Windows windows;

    /** {@link OwnOperations.RETIRED} once retired; changes with the lock held. */
    private volatile MappingOperations operations;

    /** Guarded by lock. */
    private Vma[] vmas = new Vma[2];

    private int count;

    SharedObject(Hardware hardware, String name, MappableKind kind, MappingOperations operations) {
        this.hardware = hardware;
        this.name = name;
        this.kind = kind;
        this.operations = operations;
        lock = hardware.execution.lock("memory.object");
        windows = new Windows(hardware, this);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public MappableKind kind() {
        return kind;
    }

    NamedLock lock() {
        return lock;
    }

    /** [held] */
    Windows windows() {
        assert lock.isHeldByCurrentThread();
        return windows;
    }

    MappingOperations operations() {
        return operations;
    }

    boolean isRetired() {
        return operations.equals(OwnOperations.RETIRED);
    }

    @Override
    public int mappings() {
        lock.lock();
        try {
            return count;
        } finally {
            lock.unlock();
        }
    }

    /** [held: mmap lock, write] */
    void link(Vma vma) {
        lock.lock();
        try {
            if (isRetired()) {
                throw new ErrnoException(Errno.ENODEV, "%s has retired".formatted(name));
            }
            add(vma);
        } finally {
            lock.unlock();
        }
    }

    private void add(Vma vma) {
        if (count == vmas.length) {
            vmas = Arrays.copyOf(vmas, 2 * count);
        }
        vmas[count] = vma;
        vma.linkedAt(count);
        count++;
    }

    /** [held: mmap lock, write] Cuts a mapping; {@return its upper part, linked} */
    Vma split(Vma vma, long at) {
        lock.lock();
        try {
            Vma upper = vma.cut(at);
            add(upper);
            return upper;
        } finally {
            lock.unlock();
        }
    }

    /** [held: mmap lock, write] A mapping leaves, with all that it had in the page table. */
    void unlink(Vma vma) {
        lock.lock();
        try {
            Vma last = vmas[count - 1];
            vmas[vma.linkedAt()] = last;
            last.linkedAt(vma.linkedAt());
            count--;
            vmas = count == 0 ? new Vma[2] : vmas;
            if (count > 0) {
                Arrays.fill(vmas, count, count + 1, null);
            }
            vma.linkedAt(-1);
            Zapped zapped = new Zapped();
            clear(vma, vma.first(), vma.end(), zapped);
            finish(zapped, windows.has(vma));
        } finally {
            lock.unlock();
        }
    }

    /** Takes a part of one mapping out of the page table. */
    void zap(Vma vma, long first, long end) {
        lock.lock();
        try {
            if (vma.linkedAt() >= 0) {
                Zapped zapped = new Zapped();
                clear(vma, Math.max(first, vma.first()), Math.min(end, vma.end()), zapped);
                finish(zapped, windows.has(vma));
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * [held: mmap lock] Puts a page of the process's own in the place of one of the object's.
     *
     * @param frame of the object's page
     * @param entry of the other
     * @return whether the object's page was still there
     */
    boolean replace(Vma vma, long address, long frame, long entry) {
        lock.lock();
        try {
            Zapped zapped = new Zapped();
            PageTable table = vma.space().table();
            table.lock().lock();
            try {
                if (!table.replace(address, frame, entry, zapped)) {
                    return false;
                }
            } finally {
                table.lock().unlock();
            }
            finish(zapped, windows.has(vma));
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** [held: mmap lock, write] Carries a mapping's new protection into the page table. */
    void protect(Vma vma) {
        lock.lock();
        try {
            Zapped zapped = new Zapped();
            PageTable table = vma.space().table();
            table.lock().lock();
            try {
                table.protect(vma.first(), vma.end(), vma.allowed(), zapped);
            } finally {
                table.lock().unlock();
            }
            hardware.cleared.reached();
            hardware.gate.flush();
            finish(zapped, windows.has(vma));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void unmapRange(long offset, long bytes) {
        if (offset < 0 || bytes < 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s: unmap of %d bytes at %d; expected none below 0"
                            .formatted(name, bytes, offset));
        }
        lock.lock();
        try {
            zapAll(offset, offset + bytes < 0 ? Long.MAX_VALUE : offset + bytes);
        } finally {
            lock.unlock();
        }
    }

    private void zapAll(long offset, long end) {
        Zapped zapped = new Zapped();
        for (int i = 0; i < count; i++) {
            Vma vma = vmas[i];
            long from = Math.max(offset & -Pte.PAGE, vma.offset());
            long to = Math.min(end, vma.offset() + vma.bytes());
            if (from < to) {
                long delta = vma.first() - vma.offset();
                clear(vma, from + delta, to + delta, zapped);
            }
        }
        finish(zapped, true);
    }

    private void clear(Vma vma, long first, long end, Zapped zapped) {
        assert lock.isHeldByCurrentThread();
        PageTable table = vma.space().table();
        table.lock().lock();
        try {
            table.clear(first, end, zapped);
        } finally {
            table.lock().unlock();
        }
    }

    /** Waits for accesses, closes windows, and only then lets pages go. */
    private void finish(Zapped zapped, boolean hadWindows) {
        assert lock.isHeldByCurrentThread();
        if (!zapped.isEmpty()) {
            hardware.cleared.reached();
            hardware.gate.flush();
        }
        if (hadWindows) {
            windows.close();
        }
        zapped.release(hardware.refs);
    }

    @Override
    public void retire() {
        lock.lock();
        try {
            operations = OwnOperations.RETIRED; // before the zap: an insertion looks after it
            zapAll(0, Long.MAX_VALUE);
        } finally {
            lock.unlock();
        }
    }

    /**
     * A device behind some windows goes.
     *
     * @throws IllegalStateException somebody holds one up
     */
    void closeWindowsFor(Device device) {
        lock.lock();
        try {
            if (!windows.close()) {
                throw new IllegalStateException(
                        "%s: a window of %s onto %s is in use by a channel or a native call"
                                .formatted(device, windows.stuck(), name));
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
