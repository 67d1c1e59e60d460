package org.peerlane.testkit.dmabuf;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * An exporter that keeps the contract, and breaks it where a test tells it to (DY-60). Its storage
 * is addresses and nothing else: the n-th place begins at {@code n * 2^32}.
 *
 * <p><b>Life.</b> One buffer. <b>Locks.</b> It moves and revokes on the thread of the call, and
 * must be called without the reservation; {@link #holdReservation} keeps it on that thread.
 *
 * <p><b>Threads.</b> Any; what it is told is seen by the next call.
 */
public final class MockExporter
        implements DmaBufOperations, DmaBufOperations.Pinning, DmaBufOperations.CpuAccess {
    private static final long PLACES_APART = 1L << 32;

    /**
     * One call of the core's.
     *
     * @param step which
     * @param attachment its number; 0 where there is none
     * @param held whether the reservation was held
     */
    public record Call(Step step, long attachment, boolean held) {}

    private final DmaBufs dmabufs;
    private final long bytes;
    private final Map<Step, Door> doors = new EnumMap<>(Step.class);
    private final List<Call> calls = new CopyOnWriteArrayList<>();
    private final DmaBuf buffer;
    private volatile Fault fault = Fault.NONE;
    private volatile @Nullable Supplier<@Nullable SgTable> answer;
    private volatile long place = 1;
    private volatile int pins;

    /** What goes wrong next. */
    private record Fault(@Nullable Step step, int after, @Nullable RuntimeException with) {
        static final Fault NONE = new Fault(null, 0, null);
    }

    /**
     * Exports a buffer.
     *
     * @param bytes its size
     */
    @SuppressWarnings("this-escape") // the core keeps it, and calls it later
    public MockExporter(DmaBufs dmabufs, Execution execution, long bytes) {
        this.dmabufs = dmabufs;
        this.bytes = bytes;
        for (Step step : Step.values()) {
            doors.put(step, new Door(execution));
        }
        buffer = dmabufs.export(new ExportInfo("testkit", this, bytes, this));
    }

    /** {@return the buffer; its first reference is the exporter's} */
    public DmaBuf buffer() {
        return buffer;
    }

    /** {@return what it was asked, in order} */
    public List<Call> calls() {
        return List.copyOf(calls);
    }

    /** {@return how often it was asked for something} */
    public long count(Step step) {
        return calls.stream().filter(call -> call.step() == step).count();
    }

    /** {@return the door in front of a step: shut, the step does not return (BLOCK_MAP)} */
    public Door door(Step step) {
        Door door = doors.get(step);
        if (door == null) {
            throw new IllegalArgumentException("no door for " + step);
        }
        return door;
    }

    /** The next call of a step answers this errno. */
    public void failNext(Step step, Errno errno) {
        throwNext(step, new ErrnoException(errno, "the mock was told to fail " + step));
    }

    /** The next call of a step throws this, which may be something that it must not throw. */
    public void throwNext(Step step, RuntimeException thrown) {
        fault = new Fault(step, 0, thrown);
    }

    /**
     * The n-th call that may fail, of whatever step, fails; the others do not.
     *
     * @param n from 1; 0: none
     */
    public void failNth(int n, Errno errno) {
        fault =
                n == 0
                        ? Fault.NONE
                        : new Fault(
                                null,
                                n,
                                new ErrnoException(errno, "the mock was told to fail call " + n));
    }

    /** {@return whether what was to fail has} */
    public boolean hasFailed() {
        return fault.with() == null;
    }

    /** What map answers from now on instead of the truth; null: the truth again. */
    public void answer(@Nullable Supplier<@Nullable SgTable> instead) {
        answer = instead;
    }

    /** {@return a table of {@code entries} runs that follow each other in the storage's place} */
    public SgTable table(int entries) {
        return runs(place * PLACES_APART, bytes, entries);
    }

    /** {@return a table whose two runs share their last page, which no exporter may answer} */
    public SgTable overlapping() {
        long at = place * PLACES_APART;
        return new SgTable(new long[] {at, at + bytes / 2}, new long[] {bytes, bytes / 2}, this);
    }

    private SgTable runs(long from, long length, int entries) {
        long[] addresses = new long[entries];
        long[] lengths = new long[entries];
        long each = length / entries / 4096 * 4096;
        long at = from;
        for (int i = 0; i < entries; i++) {
            addresses[i] = at;
            lengths[i] = i == entries - 1 ? from + length - at : each;
            at += lengths[i];
        }
        return new SgTable(addresses, lengths, this);
    }

    /**
     * Moves the storage: invalidates, waits for the fences, goes to the next place (DY-10 to
     * DY-14).
     *
     * @throws ErrnoException {@code EBUSY} it is pinned
     */
    public void move() {
        move(false);
    }

    /**
     * As {@link #move}, with a fence for the copy, which is still running when this returns.
     *
     * @return the fence under {@code KERNEL}; to be signaled and put
     */
    public Fence moveWithFence() {
        Fence copy = move(true);
        if (copy == null) {
            throw new AssertionError("no fence");
        }
        return copy;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the reservation
    private @Nullable Fence move(boolean copying) {
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            if (pins > 0) {
                throw new ErrnoException(
                        Errno.EBUSY, "%s is pinned %d times".formatted(buffer, pins));
            }
            dmabufs.invalidateMappings(buffer);
            Fence copy = null;
            if (copying) {
                copy = MockFences.next(dmabufs, "copy");
                reservation.reserveFences(1);
                reservation.addFence(copy, FenceUsage.KERNEL);
            } else {
                reservation.waitTimeout(FenceUsage.BOOKKEEP, false, Reservation.NO_LIMIT);
            }
            place++;
            return copy;
        } finally {
            reservation.unlock();
        }
    }

    /** Tells importers that their mappings are stale, and moves nothing (INVALIDATE). */
    public void invalidate() {
        buffer.reservation().whileHeld(_ -> dmabufs.invalidateMappings(buffer));
    }

    /** Invalidates and keeps the reservation (INVAL_AND_HOLD); see {@link #releaseReservation}. */
    public void invalidateAndHold() {
        holdReservation();
        dmabufs.invalidateMappings(buffer);
    }

    /**
     * Takes the reservation and keeps it on this thread (HOLD_RESV).
     *
     * @throws ErrnoException {@code EBUSY} this thread keeps it already
     */
    public void holdReservation() {
        if (buffer.reservation().isHeld()) {
            throw new ErrnoException(
                    Errno.EBUSY, "the reservation of %s is held".formatted(buffer));
        }
        buffer.reservation().lock(null);
    }

    /** Gives the reservation back (RELEASE_RESV, RELEASE_HOLD). */
    public void releaseReservation() {
        buffer.reservation().unlock();
    }

    /** Takes access away; returns when nobody has any (RK-3). */
    public void revoke(boolean forGood) {
        dmabufs.revoke(buffer, forGood);
    }

    /** Gives access back. */
    public void unrevoke() {
        dmabufs.unrevoke(buffer);
    }

    /** Puts the exporter's reference (DESTROY). */
    public void put() {
        dmabufs.put(buffer);
    }

    /** {@return what was asked for and not given back, in words; empty if all is well} */
    public List<String> left() {
        List<String> left = new ArrayList<>();
        differ(left, Step.ATTACH, Step.DETACH);
        differ(left, Step.PIN, Step.UNPIN);
        differ(left, Step.MAP, Step.UNMAP);
        return left;
    }

    private void differ(List<String> left, Step more, Step less) {
        long difference = done.get(more.ordinal()) - count(less);
        if (difference != 0) {
            left.add("%d of %s without %s".formatted(difference, more, less));
        }
    }

    /** By step, how often it was done and had not failed. */
    private final AtomicLongArray done = new AtomicLongArray(Step.values().length);

    private void called(Step step, @Nullable Attachment attachment, DmaBuf of) {
        calls.add(
                new Call(
                        step, attachment == null ? 0 : attachment.id(), of.reservation().isHeld()));
        door(step).pass();
        Fault next = fault;
        RuntimeException with = next.with();
        if (with != null && next.step() == step) {
            fault = Fault.NONE;
            throw with;
        }
        if (with != null && next.step() == null && step.mayFail()) {
            fault = next.after() == 1 ? Fault.NONE : new Fault(null, next.after() - 1, with);
            if (next.after() == 1) {
                throw with;
            }
        }
        done.incrementAndGet(step.ordinal());
    }

    @Override
    public void attach(DmaBuf of, Attachment attachment) {
        called(Step.ATTACH, attachment, of);
    }

    @Override
    public void detach(DmaBuf of, Attachment attachment) {
        called(Step.DETACH, attachment, of);
    }

    @Override
    @SuppressWarnings("NullAway") // a test may want it to break the contract
    public SgTable map(Attachment attachment, DmaDirection direction) {
        called(Step.MAP, attachment, buffer);
        Supplier<@Nullable SgTable> instead = answer;
        return instead == null ? table(1) : instead.get();
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
        called(Step.UNMAP, attachment, buffer);
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the reservation
    public void pin(Attachment attachment) {
        called(Step.PIN, attachment, buffer);
        pins++;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the reservation
    public void unpin(Attachment attachment) {
        called(Step.UNPIN, attachment, buffer);
        pins--;
    }

    @Override
    public void beginCpuAccess(DmaBuf of, DmaDirection direction) {
        called(Step.BEGIN_CPU_ACCESS, null, of);
    }

    @Override
    public void endCpuAccess(DmaBuf of, DmaDirection direction) {
        called(Step.END_CPU_ACCESS, null, of);
    }

    @Override
    public void release(DmaBuf ended) {
        called(Step.RELEASE, null, ended);
    }
}
