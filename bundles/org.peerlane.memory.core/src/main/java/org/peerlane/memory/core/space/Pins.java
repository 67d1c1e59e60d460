package org.peerlane.memory.core.space;

import static org.peerlane.memory.api.AddressSpace.PIN_CHARGE;
import static org.peerlane.memory.api.AddressSpace.PIN_LONGTERM;
import static org.peerlane.memory.api.AddressSpace.PIN_WRITE;

import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappableKind;

/**
 * Pins pages of one process. Kernel counterpart: {@code __get_user_pages()} with {@code FOLL_PIN}.
 *
 * <p><b>Locks.</b> The mmap lock (read) and the page table's, for up to 512 pages at a time; none
 * across a fault. What was pinned before an error is let go.
 */
final class Pins {
    private static final int ALL_FLAGS = PIN_WRITE | PIN_LONGTERM | PIN_CHARGE;

    private final ProcessSpace space;

    Pins(ProcessSpace space) {
        this.space = space;
    }

    Pinned pin(long address, long bytes, int flags) {
        long first = address & -Pte.PAGE;
        long count = pages(address, bytes);
        if ((flags & ~ALL_FLAGS) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "pin with flags 0x%x; known are 0x%x".formatted(flags, ALL_FLAGS));
        }
        Locked charged = (flags & PIN_CHARGE) == 0 ? null : space.lockedMemory();
        if (charged != null) {
            charged.charge(count);
        }
        long[] frames = new long[(int) count];
        int done = 0;
        boolean complete = false;
        try {
            boolean write = (flags & PIN_WRITE) != 0;
            while (done < count) {
                int before = done;
                done = pinPresent(first, frames, done, write);
                if (done == before) {
                    fault(first + (long) done * Pte.PAGE, write);
                }
            }
            complete = true;
        } finally {
            if (!complete) {
                release(frames, done, charged);
            }
        }
        return new Pinned(space.hardware().refs, frames, charged);
    }

    private void release(long[] frames, int count, @Nullable Locked charged) {
        for (int i = 0; i < count; i++) {
            space.hardware().refs.unpin(frames[i]);
        }
        if (charged != null) {
            charged.uncharge(frames.length);
        }
    }

    private static long pages(long address, long bytes) {
        if (bytes <= 0 || bytes >>> Pte.PAGE_LG2 >= Integer.MAX_VALUE - 1) {
            throw new ErrnoException(
                    Errno.EINVAL, "pin of %d bytes; expected 1 to 2^31 pages".formatted(bytes));
        }
        if (address < 0 || address > AddressSpace.END - bytes) {
            throw new ErrnoException(
                    Errno.EFAULT,
                    "pin of %d bytes at 0x%x; expected user memory, below 0x%x"
                            .formatted(bytes, address, AddressSpace.END));
        }
        return ((address & Pte.PAGE_MASK) + bytes + Pte.PAGE_MASK) >>> Pte.PAGE_LG2;
    }

    /** {@return how many are pinned now: up to 512 more, up to the first that is not there} */
    private int pinPresent(long first, long[] frames, int from, boolean write) {
        int done = from;
        space.lockRead();
        try {
            long address = first + (long) done * Pte.PAGE;
            Vma vma = check(address, write);
            long inVma = vma.end() - address >>> Pte.PAGE_LG2;
            long most = Math.min(frames.length, done + Math.min(inVma, Pte.ENTRIES));
            NamedLock lock = space.table().lock();
            lock.lock();
            try {
                while (done < most) {
                    long leaf = space.table().walk(first + (long) done * Pte.PAGE, write);
                    if (leaf == 0) {
                        break;
                    }
                    frames[done] = leaf & Pte.FRAME;
                    space.hardware().refs.pin(frames[done]);
                    done++;
                }
            } finally {
                lock.unlock();
            }
        } finally {
            space.unlockRead();
        }
        return done;
    }

    private Vma check(long address, boolean write) {
        Vma vma = space.vma(address);
        if (vma == null) {
            throw refused(address, "it is not mapped");
        }
        if (!vma.allowed().allows(write)) {
            throw refused(address, "the mapping does not allow it");
        }
        if (vma.shared().kind() == MappableKind.FRAMES) {
            throw refused(address, "%s has no pages".formatted(vma));
        }
        return vma;
    }

    private void fault(long address, boolean write) {
        FaultResult result = space.faults().handle(address, write);
        if (result == FaultResult.OUT_OF_MEMORY) {
            throw new ErrnoException(Errno.ENOMEM, "pin at 0x%x: no page".formatted(address));
        }
        if (result != FaultResult.DONE) {
            throw refused(address, "a touch answers " + result);
        }
    }

    private ErrnoException refused(long address, String why) {
        return new ErrnoException(
                Errno.EFAULT, "%s: pin at 0x%x: %s".formatted(space.name(), address, why));
    }
}
