package org.peerlane.memory.core.space;

import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.MappableKind;

/**
 * What one process has mapped where. Kernel counterpart: {@code mm/mmap.c}, {@code mm/vma.c}.
 *
 * <p><b>Locks.</b> The mmap lock: write for every change, read to find.
 *
 * <p><b>Order of an unmap.</b> The mapping leaves its object, so that no zap looks at the tables
 * any more; its entries are cleared, accesses that began before are waited for, windows closed,
 * pages let go; tables that serve nobody are unlinked and, after one more wait, freed; the exporter
 * hears of it last.
 */
final class Layout {
    private final ProcessSpace space;
    private final VmaList vmas = new VmaList();
    private boolean closed;

    Layout(ProcessSpace space) {
        this.space = space;
    }

    @Nullable Vma find(long address) {
        return vmas.find(address);
    }

    void forEach(Consumer<Vma> action) {
        vmas.forEach(action);
    }

    Vma map(MapCall call) {
        checkOpen();
        long first = place(call);
        long end = first + call.bytes();
        if (call.replaces()) {
            unmap(first, end);
        } else if (call.isFixed() && !vmas.isFree(first, end)) {
            throw new ErrnoException(
                    Errno.EEXIST,
                    "%s: map at 0x%x-0x%x: something is there"
                            .formatted(space.name(), first, end - 1));
        }
        checkCount(1);
        SharedObject object = call.object();
        boolean anonymous = object == null;
        if (object == null) {
            object =
                    new SharedObject(
                            space.hardware(),
                            "anonymous",
                            MappableKind.PAGES,
                            OwnOperations.ANONYMOUS);
        }
        Vma vma =
                new Vma(
                        space,
                        object,
                        anonymous,
                        call.isShared(),
                        first,
                        end,
                        anonymous ? 0 : call.offset(),
                        call.protection());
        object.link(vma);
        vmas.add(vma);
        boolean complete = false;
        try {
            object.operations().mapped(vma);
            complete = true;
        } finally {
            if (!complete) {
                remove(first, end);
            }
        }
        if (!vma.mayWrite() && call.protection().allows(true)) {
            remove(first, end).forEach(Layout::tellClosed);
            throw new ErrnoException(Errno.EACCES, "%s forbids stores".formatted(object));
        }
        return vma;
    }

    private long place(MapCall call) {
        if (call.isFixed()) {
            return call.address();
        }
        long wish = call.address() + Pte.PAGE_MASK & -Pte.PAGE;
        if (wish >= AddressSpace.FIRST
                && wish <= AddressSpace.END - call.bytes()
                && vmas.isFree(wish, wish + call.bytes())) {
            return wish;
        }
        long alignment = alignment(call);
        long at = vmas.choose(call.bytes(), alignment, call.offset() & alignment - 1);
        if (at < 0) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "%s: no room for 0x%x bytes".formatted(space.name(), call.bytes()));
        }
        return at;
    }

    /** Frames may get large entries, if address and offset agree. */
    private static long alignment(MapCall call) {
        SharedObject object = call.object();
        if (object != null && object.kind() == MappableKind.FRAMES) {
            for (int level = 2; level > 0; level--) {
                if (call.bytes() >= Pte.span(level)) {
                    return Pte.span(level);
                }
            }
        }
        return Pte.PAGE;
    }

    void unmap(long first, long end) {
        checkOpen();
        int from = vmas.firstEndingAfter(first);
        if (from == vmas.count() || vmas.get(from).first() >= end) {
            return;
        }
        boolean splits = vmas.get(from).first() < first && vmas.get(from).end() > end;
        checkCount(splits ? 1 : 0);
        splitAt(first);
        splitAt(end);
        remove(first, end).forEach(Layout::tellClosed);
    }

    private static void tellClosed(Vma vma) {
        vma.shared().operations().close(vma);
    }

    private void splitAt(long at) {
        Vma vma = vmas.find(at);
        if (vma != null && vma.first() < at) {
            Vma upper = vma.shared().split(vma, at);
            vmas.add(upper);
            upper.shared().operations().open(upper);
        }
    }

    /** Takes out mappings that lie in a range as a whole. {@return them} */
    private List<Vma> remove(long first, long end) {
        int from = vmas.firstEndingAfter(first);
        int to = vmas.firstEndingAfter(end - 1);
        if (to < vmas.count() && vmas.get(to).first() < end) {
            to++;
        }
        List<Vma> gone = vmas.remove(from, to);
        for (Vma vma : gone) {
            vma.shared().unlink(vma);
        }
        freeTables(first, end);
        gone.forEach(Vma::die);
        return gone;
    }

    private void freeTables(long first, long end) {
        PageTable table = space.table();
        NamedLock lock = table.lock();
        long[] unlinked;
        lock.lock();
        try {
            unlinked = table.prune(first, end, vmas.floor(first), vmas.ceiling(end));
        } finally {
            lock.unlock();
        }
        if (unlinked.length > 0) {
            space.hardware().gate.flush();
            free(unlinked);
        }
    }

    private void free(long... tables) {
        NamedLock lock = space.table().lock();
        lock.lock();
        try {
            space.table().free(tables);
        } finally {
            lock.unlock();
        }
    }

    void protect(long first, long end, Protection now) {
        checkOpen();
        long at = first;
        while (at < end) {
            Vma vma = vmas.find(at);
            if (vma == null) {
                throw new ErrnoException(
                        Errno.ENOMEM,
                        "%s: protect of 0x%x-0x%x: 0x%x is not mapped"
                                .formatted(space.name(), first, end - 1, at));
            }
            long next = Math.min(end, vma.end());
            if (now.allows(true) && !vma.mayWrite()) {
                throw new ErrnoException(Errno.EACCES, "%s: stores are forbidden".formatted(vma));
            }
            if (!now.equals(vma.allowed())) {
                checkCount((vma.first() < at ? 1 : 0) + (next < vma.end() ? 1 : 0));
                splitAt(at);
                splitAt(next);
                protectWhole(at, now);
            }
            at = next;
        }
    }

    private void protectWhole(long at, Protection now) {
        Vma vma = Objects.requireNonNull(vmas.find(at));
        vma.allowed(now);
        vma.shared().protect(vma);
    }

    private void checkCount(int more) {
        if (vmas.count() + more > AddressSpace.MAX_MAPPINGS) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "%s: %d mappings, and no more than %d"
                            .formatted(space.name(), vmas.count(), AddressSpace.MAX_MAPPINGS));
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new ErrnoException(Errno.ENOENT, "%s has ended".formatted(space.name()));
        }
    }

    void close() {
        if (closed) {
            return;
        }
        unmap(0, AddressSpace.END);
        closed = true;
        NamedLock lock = space.table().lock();
        long last;
        lock.lock();
        try {
            last = space.table().end();
        } finally {
            lock.unlock();
        }
        space.hardware().gate.flush();
        free(last);
    }
}
