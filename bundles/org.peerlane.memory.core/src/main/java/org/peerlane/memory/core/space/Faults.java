package org.peerlane.memory.core.space;

import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuSignal;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.SegmentationFault;

/**
 * Takes the page faults of one process. Kernel counterpart: {@code handle_mm_fault()}.
 *
 * <p><b>Locks.</b> The mmap lock (read) through each try; two faults may run at once, for one page
 * too: of two anonymous pages one wins, and of a handler's two answers the second finds its own.
 */
final class Faults {
    private final ProcessSpace space;
    private final Hardware hardware;
    private final PageCopies copies;

    Faults(ProcessSpace space) {
        this.space = space;
        hardware = space.hardware();
        copies = new PageCopies(hardware);
    }

    /** Takes a fault for the process itself; returns if the access is to be tried again. */
    void take(long address, boolean write) {
        FaultResult result = handle(address, write);
        if (result != FaultResult.DONE) {
            throw signal(result, address, write);
        }
    }

    private CpuSignal signal(FaultResult result, long address, boolean write) {
        return switch (result) {
            case SEGMENTATION_FAULT ->
                    new SegmentationFault(
                            address, write, "%s has no mapping for it".formatted(space.name()));
            case OUT_OF_MEMORY ->
                    new BusError(
                            address,
                            write,
                            "no page for it",
                            new ErrnoException(
                                    Errno.ENOMEM, "no page for 0x%x".formatted(address)));
            default -> new BusError(address, write, "nothing is behind the mapping", null);
        };
    }

    /** {@return how it ended; never RETRY} */
    FaultResult handle(long address, boolean write) {
        while (true) {
            FaultResult result = once(address & -Pte.PAGE, write);
            if (result != FaultResult.RETRY) {
                return result;
            }
        }
    }

    private FaultResult once(long page, boolean write) {
        PageFault fault = null;
        space.lockRead();
        try {
            Vma vma = space.vma(page);
            if (vma == null || !vma.allowed().allows(write)) {
                return FaultResult.SEGMENTATION_FAULT;
            }
            if (space.table().walk(page, write) != 0) {
                return FaultResult.DONE; // another thread's fault was quicker
            }
            hardware.faulting.reached();
            if (vma.isAnonymous()) {
                return anonymous(vma, page, write);
            }
            boolean copies = write && vma.isCopiedOnWrite();
            if (copies && space.table().walk(page, false) != 0) {
                return own(vma, page);
            }
            fault = new PageFault(vma, page, write && !copies);
            FaultResult result = ask(vma, fault);
            return copies && result == FaultResult.DONE ? FaultResult.RETRY : result;
        } finally {
            if (fault == null || !fault.isReleased()) {
                space.unlockRead();
            }
        }
    }

    private static FaultResult ask(Vma vma, PageFault fault) {
        FaultResult result;
        try {
            result = vma.shared().operations().fault(fault);
        } catch (ErrnoException e) {
            return e.errno() == Errno.ENOMEM ? FaultResult.OUT_OF_MEMORY : FaultResult.BUS_ERROR;
        }
        if (result == FaultResult.DONE && !fault.isCovered()) {
            throw new IllegalStateException(
                    "%s: the handler answers DONE for 0x%x and has inserted nothing there"
                            .formatted(vma, fault.address()));
        }
        if (fault.isReleased() && result != FaultResult.RETRY) {
            throw new IllegalStateException(
                    "%s: the handler answers %s after release; expected RETRY"
                            .formatted(vma, result));
        }
        return result;
    }

    /** A page of the process's own with what the object's has. */
    private FaultResult own(Vma vma, long page) {
        long unused = 0;
        try {
            unused = hardware.refs.allocate();
            long copied = copies.copy(space.table(), page, unused);
            if (copied < 0) {
                return FaultResult.RETRY; // it has been taken out meanwhile
            }
            long entry = unused | vma.allowed().entry(true);
            if (vma.shared().replace(vma, page, copied, entry)) {
                unused = 0;
            }
            return FaultResult.DONE;
        } catch (ErrnoException e) {
            return FaultResult.OUT_OF_MEMORY;
        } catch (BusError e) {
            return FaultResult.BUS_ERROR;
        } finally {
            if (unused != 0) {
                hardware.refs.put(unused);
            }
        }
    }

    /** A page of zeros, unless there is one already. */
    private FaultResult anonymous(Vma vma, long page, boolean write) {
        PageTable table = space.table();
        long bits = vma.allowed().entry(true);
        long unused = 0; // no page is ever at 0
        try {
            if (write && table.allowWrite(page)) {
                return FaultResult.DONE;
            }
            long fresh = hardware.refs.allocate();
            unused = fresh;
            NamedLock lock = table.lock();
            lock.lock();
            try {
                if (table.insertNew(page, fresh | bits)) {
                    unused = 0;
                }
            } finally {
                lock.unlock();
            }
            return FaultResult.DONE;
        } catch (ErrnoException e) {
            return FaultResult.OUT_OF_MEMORY;
        } finally {
            if (unused != 0) {
                hardware.refs.put(unused);
            }
        }
    }
}
