package org.peerlane.memory.core.space;

import java.util.concurrent.atomic.AtomicLong;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.LockedMemory;

/** A count against a limit, without a lock. */
final class Locked implements LockedMemory {
    private final String name;
    private final AtomicLong pages = new AtomicLong();
    private volatile long limitBytes = Long.MAX_VALUE;

    Locked(String name) {
        this.name = name;
    }

    @Override
    public long pages() {
        return pages.get();
    }

    @Override
    public long limitBytes() {
        return limitBytes;
    }

    @Override
    public void limitBytes(long bytes) {
        if (bytes < 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s: limit of %d bytes; expected 0 or more".formatted(name, bytes));
        }
        limitBytes = bytes;
    }

    @Override
    public void charge(long more) {
        long limit = limitBytes >>> Pte.PAGE_LG2;
        long before;
        do {
            before = pages.get();
            if (more < 0 || more > limit - before) {
                throw new ErrnoException(
                        Errno.ENOMEM,
                        "%s: %d more pinned pages; %d are charged and the limit is %d"
                                .formatted(name, more, before, limit));
            }
        } while (!pages.compareAndSet(before, before + more));
    }

    @Override
    public void uncharge(long less) {
        long before;
        do {
            before = pages.get();
            if (less < 0 || less > before) {
                throw new IllegalStateException(
                        "%s: uncharge of %d pages; %d are charged".formatted(name, less, before));
            }
        } while (!pages.compareAndSet(before, before - less));
    }
}
