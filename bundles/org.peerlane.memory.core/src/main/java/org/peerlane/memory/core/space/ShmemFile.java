package org.peerlane.memory.core.space;

import static org.peerlane.memory.core.space.Pte.PAGE;
import static org.peerlane.memory.core.space.Pte.PAGE_LG2;
import static org.peerlane.memory.core.space.Pte.PAGE_MASK;

import java.lang.foreign.MemorySegment;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.RefCount;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.memory.api.Memfd;
import org.peerlane.memory.api.PinnedPages;

/**
 * A memfd: its pages, its size and its seals. Kernel counterpart: {@code mm/shmem.c}, {@code
 * mm/memfd.c}.
 *
 * <p><b>Life.</b> Each of its pages is held once by the file, once by each entry of a page table
 * and once by each pin. <b>Locks.</b> {@code memory.memfd} guards all state; held through each
 * fault, so that a page is either in the file or zapped.
 */
final class ShmemFile implements Memfd, MappingOperations {
    private static final int NO_WRITE = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    private static final int ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | NO_WRITE;

    private final Hardware hardware;
    private final String name;
    private final RefCount references;
    private final SharedObject object;
    private final NamedLock lock;

    /** Guarded by lock, as is all below. */
    private final PageCache pages = new PageCache();

    private long size;
    private int seals;

    /** Shared mappings that allow stores, or could be made to: {@code i_mmap_writable}. */
    private int writers;

    ShmemFile(Hardware hardware, String name, boolean sealable) {
        this.hardware = hardware;
        this.name = name;
        references = new RefCount("memfd " + name, this::release);
        object = new SharedObject(hardware, "memfd " + name, MappableKind.PAGES, this);
        lock = hardware.execution.lock("memory.memfd");
        seals = sealable ? 0 : F_SEAL_SEAL;
    }

    // ---- the file

    @Override
    public String name() {
        return name;
    }

    @Override
    public String fileType() {
        return "memfd";
    }

    @Override
    public void get() {
        references.get();
    }

    @Override
    public boolean getUnlessZero() {
        return references.getUnlessZero();
    }

    @Override
    public void put() {
        references.put();
    }

    @Override
    public int references() {
        return references.count();
    }

    /** Nobody has it mapped any more. */
    private void release() {
        lock.lock();
        try {
            pages.remove(0, Long.MAX_VALUE, hardware.refs::put);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long size() {
        lock.lock();
        try {
            return size;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void truncate(long to) {
        if (to < 0) {
            throw refused(Errno.EINVAL, "a size of %d; expected 0 or more".formatted(to));
        }
        lock.lock();
        try {
            if (to != size) {
                permit(to < size ? F_SEAL_SHRINK : F_SEAL_GROW, "a size of " + to);
            }
            if (to < size) {
                drop(to, Long.MAX_VALUE);
            }
            size = to;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void punchHole(long offset, long bytes) {
        if (offset < 0 || bytes <= 0) {
            throw refused(
                    Errno.EINVAL,
                    "a hole of %d bytes at %d; expected some, from 0 on".formatted(bytes, offset));
        }
        lock.lock();
        try {
            permit(NO_WRITE, "a hole at " + offset);
            drop(offset, offset + bytes < 0 ? Long.MAX_VALUE : offset + bytes);
        } finally {
            lock.unlock();
        }
    }

    /** Takes whole pages out, of mappings first, and zeroes what else is in the range. */
    private void drop(long from, long end) {
        assert lock.isHeldByCurrentThread();
        long first = from + PAGE_MASK >>> PAGE_LG2;
        long last = end >>> PAGE_LG2;
        if (first < last) {
            object.unmapRange(first << PAGE_LG2, last - first << PAGE_LG2);
            pages.remove(first, last, hardware.refs::put);
        }
        zero(from, Math.min(end, first << PAGE_LG2));
        if (last >= first) {
            zero(last << PAGE_LG2, end);
        }
    }

    /** Zeroes a part of one page, if it is there. */
    private void zero(long from, long end) {
        long page = pages.get(from >>> PAGE_LG2);
        if (page != 0 && from < end) {
            MemorySegment zeros = MemorySegment.ofArray(new byte[(int) (end - from)]);
            hardware.memory.write(page + (from & PAGE_MASK), zeros, 0, end - from);
        }
    }

    @Override
    public long read(long offset, MemorySegment target) {
        checkOffset("read", offset);
        lock.lock();
        try {
            long count = Math.clamp(size - offset, 0, target.byteSize());
            for (long done = 0, part; done < count; done += part) {
                long at = offset + done;
                part = Math.min(count - done, PAGE - (at & PAGE_MASK));
                long page = pages.get(at >>> PAGE_LG2);
                if (page == 0) {
                    target.asSlice(done, part).fill((byte) 0);
                } else {
                    hardware.memory.read(page + (at & PAGE_MASK), target, done, part);
                }
            }
            return count;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long write(long offset, MemorySegment source) {
        long count = source.byteSize();
        checkOffset("write", offset);
        if (offset > Long.MAX_VALUE - count) {
            throw refused(
                    Errno.EFBIG,
                    "a write of %d bytes at %d; expected an end below 2^63"
                            .formatted(count, offset));
        }
        lock.lock();
        try {
            permit(NO_WRITE, "a write at " + offset);
            if (offset + count > size) {
                permit(F_SEAL_GROW, "a write up to " + (offset + count));
            }
            long done = 0;
            while (done < count) {
                long at = offset + done;
                long part = Math.min(count - done, PAGE - (at & PAGE_MASK));
                try {
                    long page = page(at >>> PAGE_LG2) + (at & PAGE_MASK);
                    hardware.memory.write(page, source, done, part);
                } catch (ErrnoException e) {
                    if (done == 0) {
                        throw e;
                    }
                    break;
                }
                done += part;
            }
            size = Math.max(size, offset + done);
            return done;
        } finally {
            lock.unlock();
        }
    }

    private void checkOffset(String what, long offset) {
        if (offset < 0) {
            throw refused(Errno.EINVAL, "a %s at %d; expected 0 or more".formatted(what, offset));
        }
    }

    /** {@return the page with this number, new if there was none} */
    private long page(long index) {
        assert lock.isHeldByCurrentThread();
        long page = pages.get(index);
        if (page == 0) {
            page = hardware.refs.allocate();
            pages.put(index, page);
        }
        return page;
    }

    // ---- seals

    @Override
    public int seals() {
        lock.lock();
        try {
            return seals;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void addSeals(int more) {
        if ((more & ~ALL_SEALS) != 0) {
            throw refused(Errno.EINVAL, "seals 0x%x; known are 0x%x".formatted(more, ALL_SEALS));
        }
        lock.lock();
        try {
            permit(F_SEAL_SEAL, "another seal");
            if ((more & ~seals & F_SEAL_WRITE) != 0) {
                requireNobodyWrites();
            }
            seals |= more;
        } finally {
            lock.unlock();
        }
    }

    private void requireNobodyWrites() {
        assert lock.isHeldByCurrentThread();
        if (writers > 0) {
            throw refused(
                    Errno.EBUSY,
                    "F_SEAL_WRITE with %d shared mappings that could be written to"
                            .formatted(writers));
        }
        pages.forEach(page -> {
            if (hardware.refs.pins(page) > 0) {
                throw refused(
                        Errno.EBUSY,
                        "F_SEAL_WRITE while somebody has pinned page 0x%x".formatted(page));
            }
        });
    }

    /** Throws {@code EPERM} if one of these seals is there. */
    private void permit(int forbidding, String what) {
        assert lock.isHeldByCurrentThread();
        if ((seals & forbidding) != 0) {
            throw refused(
                    Errno.EPERM,
                    "%s, and it has seals 0x%x; expected none of 0x%x"
                            .formatted(what, seals, forbidding));
        }
    }

    private ErrnoException refused(Errno errno, String sentence) {
        return new ErrnoException(errno, "%s: %s".formatted(this, sentence));
    }

    // ---- exporters

    @Override
    public PinnedPages pin(long offset, long bytes, int required, int refused) {
        lock.lock();
        try {
            if ((seals & required) != required || (seals & refused) != 0) {
                throw refused(
                        Errno.EINVAL,
                        "it has seals 0x%x; expected 0x%x and none of 0x%x"
                                .formatted(seals, required, refused));
            }
            if (offset < 0 || bytes <= 0 || bytes > size - offset) {
                throw refused(
                        Errno.EINVAL,
                        "pages of %d bytes at %d; expected some, below %d"
                                .formatted(bytes, offset, size));
            }
            return pinned(offset >>> PAGE_LG2, offset + bytes - 1 >>> PAGE_LG2);
        } finally {
            lock.unlock();
        }
    }

    private Pinned pinned(long first, long last) {
        long[] frames = new long[Math.toIntExact(last - first + 1)];
        int done = 0;
        try {
            while (done < frames.length) {
                frames[done] = page(first + done);
                hardware.refs.pin(frames[done]);
                done++;
            }
            return new Pinned(hardware.refs, frames, null);
        } finally {
            if (done < frames.length) {
                while (done > 0) {
                    hardware.refs.unpin(frames[--done]);
                }
            }
        }
    }

    // ---- processes

    @Override
    public CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        return space.map(address, bytes, protection, flags, object, offset);
    }

    @Override
    public void mapped(CpuMapping mapping) {
        lock.lock();
        try {
            if (mapping.isShared()) {
                if ((seals & NO_WRITE) == 0) {
                    mapping.privateData(this); // a writer, and so is what is split off from it
                    writers++;
                } else {
                    boolean writes = (mapping.protection() & AddressSpace.PROT_WRITE) != 0;
                    permit(writes ? NO_WRITE : 0, "a shared mapping for stores");
                    mapping.forbidWrite();
                }
            }
        } finally {
            lock.unlock();
        }
        references.get();
    }

    @Override
    public void open(CpuMapping mapping) {
        references.get();
        count(mapping, 1);
    }

    @Override
    public void close(CpuMapping mapping) {
        count(mapping, -1);
        references.put();
    }

    private void count(CpuMapping mapping, int more) {
        lock.lock();
        try {
            writers += mapping.privateData() == null ? 0 : more;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public FaultResult fault(Fault fault) {
        lock.lock();
        try {
            if (fault.offset() >= size) {
                return FaultResult.BUS_ERROR;
            }
            fault.insert(fault.address(), page(fault.offset() >>> PAGE_LG2), PAGE, true);
            return FaultResult.DONE;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return "memfd " + name;
    }
}
