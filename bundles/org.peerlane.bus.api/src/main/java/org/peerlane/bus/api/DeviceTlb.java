package org.peerlane.bus.api;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;

/**
 * A ready-made TLB of a device with ATS: DMA by IOVA, translated by the device itself, with
 * translations that it keeps (IM-12) and gives up when it is told to (IM-14).
 *
 * <p><b>Use.</b> The {@link DeviceModel} makes one, does its DMA through {@link #read} and {@link
 * #write}, implements {@link AtsDevice} and passes what it hears on to here, and calls {@link
 * #reset} and {@link #close} from its own.
 *
 * <p><b>Invalidation.</b> Answered from a thread of the TLB's own: the translations go, those who
 * use them finish, what was posted through them has arrived (a read of no bytes pushes it), then
 * the completion is sent. A look-up that was under way is made anew.
 *
 * <p><b>Locks.</b> {@code bus.tlb.retire}, then {@code bus.tlb} and {@code bus.tlb.users}, leaves.
 * <b>Threads.</b> Any; DMA from engine threads. <b>Cost.</b> Of a hit: two atomic additions, no
 * lock, no allocation.
 *
 * <p><b>Errors.</b> Those of {@link DmaPort}. Where the IOMMU gives no access the request ends as
 * an unsupported one and nothing is sent: a device with PRI then asks for the page.
 */
public final class DeviceTlb implements AtsDevice {
    private static final long PAGE = 4096;

    /** An invalidation waits for no more than this of a transfer. */
    private static final long MOST = 1 << 16;

    private static final int PASID_BITS = DmaAttributes.HAS_PASID | 0xF_FFFF;

    /** So many that are out of use may have something posted. */
    private static final int RETIRED = 64;

    private final DmaPort dma;
    private final AtsPort ats;
    private final Execution execution;
    private final String name;
    private final TlbEntries entries;
    private final TlbUsers users;
    private final Checkpoint found;
    private final Checkpoint translated;
    private final NamedLock lock;
    private final Condition told;

    /** One at a time waits for users and pushes what they have posted. */
    private final NamedLock retire;

    /** How often translations were taken out. Written with lock. */
    private volatile long version;

    /** Guarded by lock, as all below. */
    private long taken;

    private final List<TlbEntries.Entry> retired = new ArrayList<>();

    private final Deque<Invalidation> waiting = new ArrayDeque<>();
    private @Nullable EmulatedThread thread;
    private boolean closed;

    private record Invalidation(int tag, int pasid, long address, long bytes) {}

    /**
     * @param slot whose ports it uses
     * @param count of translations that it keeps: a power of two
     */
    public DeviceTlb(DeviceSlot slot, int count) {
        Check.that(
                count > 0 && Integer.bitCount(count) == 1,
                "a TLB of %d entries; expected a power of two",
                count);
        dma = slot.dma();
        ats = slot.ats();
        execution = slot.execution();
        name = slot.name() + ".tlb";
        entries = new TlbEntries(count);
        users = new TlbUsers(execution);
        found = execution.checkpoint("bus.tlb.found");
        translated = execution.checkpoint("bus.tlb.translated");
        lock = execution.lock("bus.tlb");
        told = lock.newCondition("told");
        retire = execution.lock("bus.tlb.retire");
    }

    /** As {@link DmaPort#read}, of an IOVA. */
    public long read(long address, int attributes, MemorySegment local, long offset, long length) {
        return transfer(address, attributes, local, offset, length, false);
    }

    /** As {@link DmaPort#write}, to an IOVA. */
    public long write(long address, int attributes, MemorySegment local, long offset, long length) {
        return transfer(address, attributes, local, offset, length, true);
    }

    private long transfer(
            long address,
            int attributes,
            MemorySegment local,
            long offset,
            long length,
            boolean write) {
        int pasid = DmaAttributes.pasid(attributes);
        int sent = attributes & ~PASID_BITS | DmaAttributes.TRANSLATED;
        int permission = write ? PageRequest.WRITE : PageRequest.READ;
        DmaTranslation.Target into = null;
        for (long done = 0; done < length; ) {
            long at = address + done;
            int mine = users.enter();
            try {
                TlbEntries.Entry entry = entries.find(pasid, at, permission);
                if (entry != null) {
                    found.reached();
                    long in = at - entry.first;
                    long bytes = Math.min(Math.min(length - done, entry.bytes - in), MOST);
                    long to = entry.physical + in;
                    entry.written |= write;
                    long result =
                            write
                                    ? dma.write(to, sent, local, offset + done, bytes)
                                    : dma.read(to, sent, local, offset + done, bytes);
                    done += DmaResult.bytes(result);
                    if (!DmaResult.isOk(result)) {
                        return DmaResult.of(DmaResult.status(result), done);
                    }
                    continue;
                }
            } finally {
                users.exit(mine);
            }
            into = into == null ? new DmaTranslation.Target() : into;
            int status = fetch(attributes, pasid, at & -PAGE, write, into);
            if (status != DmaResult.OK) {
                return DmaResult.of(status, done);
            }
        }
        return DmaResult.of(DmaResult.OK, length);
    }

    /** Asks the IOMMU and keeps the answer, unless something was taken out meanwhile. */
    private int fetch(
            int attributes, int pasid, long page, boolean write, DmaTranslation.Target into) {
        long before = version;
        int status = ats.translate(page, attributes, write, into);
        translated.reached();
        int permission = write ? PageRequest.WRITE : PageRequest.READ;
        if (status != DmaResult.OK) {
            return status;
        }
        if (into.bytes < PAGE || (into.permissions & permission) == 0) {
            return DmaResult.UNSUPPORTED_REQUEST;
        }
        TlbEntries.Entry made =
                new TlbEntries.Entry(pasid, page, into.bytes, into.physical, into.permissions);
        boolean full;
        lock.lock();
        try {
            if (version != before) {
                return DmaResult.OK; // the caller looks, and asks again
            }
            TlbEntries.Entry out = entries.put(made);
            if (out != null) {
                retired.add(out);
            }
            full = retired.size() >= RETIRED;
        } finally {
            lock.unlock();
        }
        if (full) {
            settle();
        }
        return DmaResult.OK;
    }

    /** Waits for the users of what is not kept any more, and until what they posted has arrived. */
    private void settle() {
        retire.lock();
        try {
            List<TlbEntries.Entry> gone;
            lock.lock();
            try {
                gone = List.copyOf(retired);
                retired.clear();
            } finally {
                lock.unlock();
            }
            users.await();
            for (TlbEntries.Entry entry : gone) {
                if (entry.written) {
                    dma.read(entry.physical, DmaAttributes.TRANSLATED, MemorySegment.NULL, 0, 0);
                }
            }
        } finally {
            retire.unlock();
        }
    }

    @Override
    public void invalidate(int tag, int pasid, long address, long bytes) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            waiting.add(new Invalidation(tag, pasid, address, bytes));
            if (thread == null) {
                thread = execution.start(ThreadKind.BLOCKING, name, this::answer);
            }
            told.signal();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void disabled() {
        reset();
    }

    /** The function is reset: nothing is kept, and no invalidation is answered any more. */
    public void reset() {
        lock.lock();
        try {
            waiting.clear();
            take(-1, 0, -1);
        } finally {
            lock.unlock();
        }
    }

    private void take(int pasid, long address, long bytes) {
        assert lock.isHeldByCurrentThread();
        version = ++taken;
        retired.addAll(entries.remove(pasid, address, bytes));
    }

    private void answer() {
        for (Invalidation next = next(); next != null; next = next()) {
            settle();
            ats.invalidated(next.tag());
        }
    }

    /** {@return the next that is to be answered, its translations taken out; null: no more come} */
    private @Nullable Invalidation next() {
        lock.lock();
        try {
            while (waiting.isEmpty() && !closed) {
                told.awaitUninterruptibly();
            }
            Invalidation next = closed ? null : waiting.remove();
            if (next != null) {
                take(next.pasid(), next.address(), next.bytes());
            }
            return next;
        } finally {
            lock.unlock();
        }
    }

    /** The function leaves: ends the thread. After the device's engines have ended. */
    public void close() {
        EmulatedThread ends;
        lock.lock();
        try {
            closed = true;
            ends = thread;
            told.signalAll();
        } finally {
            lock.unlock();
        }
        if (ends != null) {
            boolean interrupted = false;
            while (true) {
                try {
                    ends.join();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
