package org.peerlane.memory.core.space;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.SegmentationFault;
import org.peerlane.memory.api.Window;

/**
 * A mapping.
 *
 * <p><b>Locks.</b> Bounds change with the mmap lock (write) and the object's lock held, so either
 * is enough to read them; the rest changes with the mmap lock (write) and is read with it.
 */
final class Vma implements CpuMapping {
    private final ProcessSpace space;
    private final SharedObject object;
    private final boolean anonymous;
    private final boolean shared;
    private volatile long first;
    private volatile long end;
    private volatile long offset;
    private volatile Protection allowed;
    private volatile boolean mayWrite;
    private volatile @Nullable Object privateData;

    /** Guarded by the object's lock: where the object has it; -1: nowhere. */
    private int linkedAt = -1;

    /** Guarded by the object's lock: the last arena with a window of this mapping. */
    private @Nullable Arena windowArena;

    Vma(
            ProcessSpace space,
            SharedObject object,
            boolean anonymous,
            boolean shared,
            long first,
            long end,
            long offset,
            Protection allowed) {
        this.space = space;
        this.object = object;
        this.anonymous = anonymous;
        this.shared = shared;
        this.first = first;
        this.end = end;
        this.offset = offset;
        this.allowed = allowed;
        mayWrite = true;
    }

    /** [held: mmap lock, write; object's lock] Ends here; {@return the part from there on} */
    Vma cut(long at) {
        Vma upper =
                new Vma(space, object, anonymous, shared, at, end, offset + at - first, allowed);
        upper.mayWrite = mayWrite;
        upper.privateData = privateData;
        upper.windowArena = windowArena;
        end = at;
        return upper;
    }

    /** [held: mmap lock, write] Nothing of it is left. */
    void die() {
        end = first;
    }

    @Override
    public ProcessSpace space() {
        return space;
    }

    SharedObject shared() {
        return object;
    }

    boolean isAnonymous() {
        return anonymous;
    }

    @Override
    public long first() {
        return first;
    }

    /** {@return the first address after it} */
    long end() {
        return end;
    }

    @Override
    public long bytes() {
        return end - first;
    }

    @Override
    public boolean isAlive() {
        return end > first;
    }

    @Override
    public int protection() {
        return allowed.bits();
    }

    Protection allowed() {
        return allowed;
    }

    /** [held: mmap lock, write] */
    void allowed(Protection now) {
        allowed = now;
    }

    boolean mayWrite() {
        return mayWrite;
    }

    /** {@return whether a store makes a page of the process's own out of one of the object's} */
    boolean isCopiedOnWrite() {
        return !anonymous && !shared;
    }

    @Override
    public boolean isShared() {
        return shared;
    }

    @Override
    public @Nullable Mappable object() {
        return anonymous ? null : object;
    }

    @Override
    public long offset() {
        return offset;
    }

    @Override
    public @Nullable Object privateData() {
        return privateData;
    }

    @Override
    public void privateData(@Nullable Object data) {
        privateData = data;
    }

    @Override
    public void forbidWrite() {
        mayWrite = false;
    }

    int linkedAt() {
        return linkedAt;
    }

    void linkedAt(int now) {
        linkedAt = now;
    }

    @Nullable Arena windowArena() {
        return windowArena;
    }

    void windowArena(Arena now) {
        windowArena = now;
    }

    @Override
    public void insert(long address, long physical, long bytes) {
        if (!space.isHeldForWrite()) {
            throw new IllegalStateException("%s: insertion without the mmap lock".formatted(this));
        }
        insert(address, physical, bytes, true, false);
    }

    /** [held: mmap lock] */
    void insert(long address, long physical, long bytes, boolean writable, boolean large) {
        boolean frames = object.kind() == MappableKind.FRAMES;
        if (((address | physical | bytes) & Pte.PAGE_MASK) != 0 || bytes <= 0) {
            throw invalid(address, physical, bytes, "expected multiples of 4096");
        }
        if (address < first || bytes > end - address) {
            throw invalid(address, physical, bytes, "outside the mapping");
        }
        Spans backing = frames ? space.hardware().map.all() : space.hardware().map.ram();
        if (!backing.cover(physical, bytes)) {
            throw invalid(address, physical, bytes, "nobody answers there");
        }
        boolean everybodys = !isCopiedOnWrite();
        long bits = allowed.entry(writable && mayWrite && everybodys) | (frames ? Pte.SPECIAL : 0);
        PageTable table = space.table();
        NamedLock lock = table.lock();
        lock.lock();
        try {
            if (object.isRetired()) {
                throw new ErrnoException(Errno.ENODEV, "%s has retired".formatted(object));
            }
            table.insert(
                    address,
                    physical,
                    bytes,
                    bits,
                    frames ? null : space.hardware().refs,
                    large && frames && everybodys,
                    !everybodys);
        } finally {
            lock.unlock();
        }
    }

    private ErrnoException invalid(long address, long physical, long bytes, String why) {
        return new ErrnoException(
                Errno.EINVAL,
                "%s: insertion of %d bytes of 0x%x at 0x%x: %s"
                        .formatted(this, bytes, physical, address, why));
    }

    @Override
    public void zap(long address, long bytes) {
        if (((address | bytes) & Pte.PAGE_MASK) != 0 || bytes < 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s: zap of %d bytes at 0x%x; expected multiples of 4096"
                            .formatted(this, bytes, address));
        }
        object.zap(this, address, address + bytes < 0 ? Long.MAX_VALUE : address + bytes);
    }

    @Override
    public Window window(long address, boolean write) {
        return new View(this, address & -Pte.PAGE, write);
    }

    /** {@return a view from a page on, faulting it first if need be} */
    MemorySegment openView(long address, boolean write) {
        while (true) {
            space.lockRead();
            try {
                if (address < first || address >= end) {
                    throw new SegmentationFault(address, write, "not in %s".formatted(this));
                }
                MemorySegment view = tryView(address, write);
                if (view != null) {
                    return view;
                }
            } finally {
                space.unlockRead();
            }
            space.faults().take(address, write);
        }
    }

    private @Nullable MemorySegment tryView(long address, boolean write) {
        NamedLock lock = object.lock();
        lock.lock();
        try {
            long leaf = space.table().walk(address, write);
            if (leaf == 0) {
                return null;
            }
            long physical = Pte.physical(leaf, address);
            Spans spans = space.hardware().map.all();
            int i = spans.find(physical);
            MemorySegment view = null;
            if (i >= 0) {
                long most = Math.min(end - address, spans.last(i) - physical + 1);
                long bytes = run(address, physical, Pte.left(leaf, address), most, write);
                view =
                        object.windows()
                                .open(this, spans.span(i), physical, Math.min(bytes, most), write);
            }
            if (view == null) {
                throw new BusError(
                        address, write, "0x%x has no memory to look at".formatted(physical), null);
            }
            return view;
        } finally {
            lock.unlock();
        }
    }

    /** {@return how long the run of physically contiguous pages is} */
    private long run(long address, long physical, long known, long most, boolean write) {
        long bytes = known;
        while (bytes < most) {
            long leaf = space.table().walk(address + bytes, write);
            if (leaf == 0 || Pte.physical(leaf, address + bytes) != physical + bytes) {
                break;
            }
            bytes += Pte.left(leaf, address + bytes);
        }
        return bytes;
    }

    @Override
    public String toString() {
        return "%s 0x%x-0x%x (%s)".formatted(space.name(), first, end - 1, object);
    }
}
