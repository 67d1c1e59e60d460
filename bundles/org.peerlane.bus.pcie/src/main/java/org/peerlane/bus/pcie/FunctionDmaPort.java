package org.peerlane.bus.pcie;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.ReadFailure;

/**
 * One function's way onto the bus.
 *
 * <p><b>A transaction</b> enters the count of what is in flight, checks that the life it was begun
 * in still lasts and that bus mastering is on, translates, finds the target, and moves the bytes.
 * Whoever ends a life writes {@link #state}, then {@linkplain #drain drains}: what passed the check
 * has landed, all else is refused (PC-62).
 *
 * <p><b>Posted.</b> A write that nobody takes is counted and traced, and the function told OK.
 *
 * <p><b>Not modelled.</b> MPS and MRRS (a transaction has up to 4 KiB), time.
 */
final class FunctionDmaPort implements DmaPort {
    private static final Logger LOG = LogManager.getLogger(FunctionDmaPort.class);
    private static final long PAGE = 4096;

    /** How far a drain may have to wait for one that is under way. */
    private static final long RUN = 16 * PAGE;

    private static final ValueLayout.OfInt LE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final int REFUSAL_BITS = 8;

    /** What {@link #straight} leaves to {@link #transaction}. */
    private static final long UNUSUAL = -1;

    private static final VarHandle SPARE;

    static {
        try {
            SPARE =
                    MethodHandles.lookup()
                            .findVarHandle(
                                    FunctionDmaPort.class, "spare", DmaTranslation.Target.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Fabric fabric;
    private final RouteTable untranslated = new RouteTable();
    private final RouteTable translated = new RouteTable();
    private final RouteTable physical = new RouteTable();
    private final BusTrace trace;
    private final InFlight inFlight;
    private final @Nullable PostedPaths paths;
    private final Shortcut lastRead = new Shortcut();
    private final Shortcut lastWrite = new Shortcut();
    private final LongAdder lost = new LongAdder();
    private final LongAdder refused = new LongAdder();

    /** Generation, and in the low byte the status that refuses everything, or OK. */
    private volatile long state = DmaResult.GONE;

    /** The life whose queued writes may still arrive. */
    private volatile long arrivable;

    /** Whose port it is; set before the first request. */
    private volatile @Nullable Endpoint function;

    /** Segment and requester id. */
    private volatile int requester;

    /** The answer record of a translation; null while a transaction has it. */
    @SuppressWarnings("unused") // through SPARE
    private DmaTranslation.@Nullable Target spare = new DmaTranslation.Target();

    FunctionDmaPort(Fabric fabric) {
        this.fabric = fabric;
        trace = fabric.trace;
        inFlight = new InFlight(fabric.execution, "bus.in-flight");
        paths = fabric.queued ? new PostedPaths(fabric, this::arrive) : null;
    }

    void function(Endpoint endpoint) {
        function = endpoint;
        if (paths != null) {
            paths.name(endpoint.slot());
        }
    }

    /** Says how its requests are signed from now on. */
    void requester(int now) {
        requester = now;
        fabric.changed();
    }

    /** {@return segment and requester id} */
    int requester() {
        return requester;
    }

    /** A translation request of the function's TLB; counted, as every request. */
    int translationRequest(
            DmaTranslation iommu,
            int attributes,
            long address,
            int permissions,
            DmaTranslation.Target into) {
        int section = inFlight.enter();
        try {
            return iommu.translationRequest(requester, attributes, address, permissions, into);
        } catch (RuntimeException e) {
            LOG.error("{}: translation request 0x{}", address(), Long.toHexString(address), e);
            return DmaResult.UNSUPPORTED_REQUEST;
        } finally {
            inFlight.exit(section);
        }
    }

    /** Sends an interrupt message: four bytes in the function's name (PC-30). */
    int message(long to, int data) {
        long life = state;
        if (paths == null && refusal(life) == DmaResult.OK) {
            int section = inFlight.enter();
            try {
                if (state == life
                        && InterruptController.inWindow(to)
                        && route(false, to).end() == Route.End.ROOT) {
                    deliver(to, data);
                    return DmaResult.OK;
                }
            } finally {
                inFlight.exit(section);
            }
        }
        MemorySegment bytes =
                MemorySegment.ofArray(new byte[Integer.BYTES]); // to memory, or queued
        bytes.set(LE_INT, 0, data);
        return DmaResult.status(write(to, DmaAttributes.NONE, bytes, 0, Integer.BYTES));
    }

    /** A page request; outside of the counted section, the IOMMU only queues it. */
    void pageRequest(DmaTranslation iommu, int attributes, long address, int flags, int group) {
        try {
            iommu.pageRequest(requester, attributes, address, flags, group);
        } catch (RuntimeException e) {
            LOG.error("{}: page request 0x{}", address(), Long.toHexString(address), e);
        }
    }

    private Endpoint function() {
        return Objects.requireNonNull(function);
    }

    PcieAddress address() {
        return function().address();
    }

    /**
     * Says in which life the function is and whether it may send.
     *
     * @param generation differs between lives
     * @param refusal OK, or the status of everything that begins now
     */
    void state(long generation, int refusal) {
        arrivable = generation;
        state = generation << REFUSAL_BITS | refusal;
    }

    /** The function has been pulled out: what had left it still arrives (PC-68). */
    void departed(long generation) {
        state = generation << REFUSAL_BITS | DmaResult.GONE;
    }

    /** Waits for the transactions that began before; not from inside one. */
    void drain() {
        inFlight.drain();
    }

    /** Waits until nothing that the function has posted is on its way. */
    void settle() {
        drain(); // who is about to post has posted
        if (paths != null) {
            paths.flushAll();
            drain();
        }
    }

    /** A function has left; nothing here holds on to it. */
    void forget(Endpoint gone) {
        untranslated.clear();
        translated.clear();
        physical.clear();
        if (paths != null) {
            paths.forget(gone);
        }
    }

    /** Nothing more will be posted. */
    void close() {
        if (paths != null) {
            paths.close();
        }
    }

    /** {@return OK, or the status that refuses everything now} */
    int refusal() {
        return refusal(state);
    }

    /** {@return transactions of posted writes that nobody took} */
    long lost() {
        return lost.sum();
    }

    /** {@return requests that were refused, and the function told so} */
    long refused() {
        return refused.sum();
    }

    @Override
    public long read(long address, int attributes, MemorySegment local, long offset, long length) {
        return transfer(address, attributes, local, offset, length, false);
    }

    @Override
    public long write(long address, int attributes, MemorySegment local, long offset, long length) {
        return transfer(address, attributes, local, offset, length, true);
    }

    private long transfer(
            long at, int attributes, MemorySegment local, long offset, long length, boolean write) {
        Objects.checkFromIndexSize(offset, length, local.byteSize());
        long life = state;
        if (refusal(life) != DmaResult.OK) {
            return refuse(at, length, write, refusal(life), 0);
        }
        if (length == 0) {
            return write ? DmaResult.OK : flush(life, at, attributes, local);
        }
        if (Long.compareUnsigned(at + (length - 1), at) < 0) { // never wraps to address 0
            return refuse(at, length, write, DmaResult.UNSUPPORTED_REQUEST, 0);
        }
        if (paths != null) {
            return queue(paths, life, at, attributes, local, offset, length, write);
        }
        return run(life, at, attributes, local, offset, length, write);
    }

    /** A read of no bytes: pushes the writes of its path (PC-75). */
    private long flush(long life, long at, int attributes, MemorySegment local) {
        if (paths != null) {
            push(paths, route((attributes & DmaAttributes.TRANSLATED) != 0, at));
        }
        return transaction(life, at, attributes, local, 0, 0, false);
    }

    /** The writes that a read finds before it; one that ends at nobody may have met them all. */
    private static void push(PostedPaths paths, Route route) {
        if (route.end() == Route.End.NOBODY) {
            paths.flushAll();
        } else {
            paths.flush(route.function());
        }
    }

    private long run(
            long life,
            long at,
            int attributes,
            MemorySegment local,
            long offset,
            long length,
            boolean write) {
        // nobody looks or comes in between: requests that follow each other are counted as one
        long step = length > PAGE && !fabric.isWatched() ? RUN : PAGE;
        long done = 0;
        while (true) {
            long from = at + done;
            long bytes = Math.min(length - done, step - (from & (step - 1)));
            long result = straight(life, from, attributes, local, offset + done, bytes, write);
            if (result == UNUSUAL) {
                result = transaction(life, from, attributes, local, offset + done, bytes, write);
            }
            if (!DmaResult.isOk(result)) {
                int status = DmaResult.status(result);
                if (status == DmaResult.TIMEOUT) {
                    long its = life >>> REFUSAL_BITS;
                    status = RequestErrors.awaitTimeout(function(), its, from, bytes);
                }
                return refuse(from, bytes, write, status, done);
            }
            done += result;
            if (done == length) {
                return done;
            }
            fabric.betweenTransactions.reached();
        }
    }

    private static int refusal(long state) {
        return (int) state & (1 << REFUSAL_BITS) - 1;
    }

    /** Posts a write, request by request; a read waits for the earlier writes of its paths. */
    private long queue(
            PostedPaths to,
            long life,
            long at,
            int attributes,
            MemorySegment local,
            long offset,
            long length,
            boolean write) {
        boolean at10 = (attributes & DmaAttributes.TRANSLATED) != 0;
        for (long done = 0; done < length; ) {
            long from = at + done;
            long bytes = Math.min(length - done, PAGE - (from & (PAGE - 1)));
            if (write) {
                long result = post(to, life, from, attributes, local, offset + done, bytes);
                if (!DmaResult.isOk(result)) {
                    return refuse(from, bytes, true, DmaResult.status(result), done);
                }
                bytes = result;
                if (done + bytes < length) {
                    fabric.betweenTransactions.reached();
                }
            } else {
                Route route = route(at10, from);
                bytes = most(route, from, bytes);
                push(to, route);
            }
            done += bytes;
        }
        return write ? length : run(life, at, attributes, local, offset, length, false);
    }

    /**
     * Posts one request; in the counted section, so that who has closed a door and drained finds it
     * on its path. {@return OK with the bytes that the request covers, or why not}
     */
    private long post(
            PostedPaths to,
            long life,
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes) {
        int section = inFlight.enter();
        try {
            int refusal = refusal(state);
            if (refusal != DmaResult.OK) {
                return DmaResult.of(refusal, 0);
            }
            Route route = route((attributes & DmaAttributes.TRANSLATED) != 0, from);
            long most = most(route, from, bytes);
            to.post(route.function(), life, from, attributes, local, offset, most);
            return most;
        } finally {
            inFlight.exit(section);
        }
    }

    /** A queued write goes on; bus master may be off by now (PC-65), but not its life over. */
    private void arrive(
            long life, long address, int attributes, MemorySegment data, long offset, long bytes) {
        long done = 0;
        while (done < bytes) {
            int section = inFlight.enter();
            long result;
            try {
                if (arrivable != life >>> REFUSAL_BITS) {
                    lose(address + done, bytes - done, "it is of an earlier life");
                    return;
                }
                result =
                        request(
                                address + done,
                                attributes,
                                data,
                                offset + done,
                                bytes - done,
                                true);
            } finally {
                inFlight.exit(section);
            }
            if (!DmaResult.isOk(result)) {
                lose(address + done, bytes - done, DmaResult.describe(result));
                return;
            }
            done += result;
        }
    }

    /**
     * The same as {@link #transaction} for the owner of the section and memory at the end. Short
     * and flat, so that the JIT makes one piece of code of it.
     *
     * @return as {@link #transaction}, or {@link #UNUSUAL}: nothing has been done
     */
    private long straight(
            long life,
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        Fabric common = fabric;
        Shortcut way = write ? lastWrite : lastRead;
        if (attributes != DmaAttributes.NONE || !inFlight.enterOwn()) {
            return UNUSUAL;
        }
        try {
            if (state != life) {
                return UNUSUAL;
            }
            long covered = bytes;
            if (!way.leads(from, bytes, common.epoch())) {
                covered = explore(way, from, bytes, write);
            }
            MemorySegment memory = way.segment;
            if (memory == null) {
                return covered;
            }
            if (way.root) {
                common.translated.reached();
            }
            common.beforeCopy.reached();
            long inside = way.inside(from);
            if (write) {
                common.beforeArrival.reached();
                if (!copied(local, offset, memory, way.offset + inside, covered)) {
                    return UNUSUAL;
                }
            } else if (!copied(memory, way.offset + inside, local, offset, covered)) {
                return UNUSUAL;
            }
            traced(from, way.physical + inside, covered, write);
            return covered;
        } finally {
            inFlight.exit(InFlight.OWN);
        }
    }

    /** {@return false: one of the two is closed} */
    private static boolean copied(
            MemorySegment from, long at, MemorySegment to, long offset, long bytes) {
        try {
            MemorySegment.copy(from, at, to, offset, bytes);
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    /**
     * Finds the way to memory.
     *
     * @return the bytes for which it holds; if the way then has no segment, what {@link #straight}
     *     answers
     */
    private long explore(Shortcut way, long from, long bytes, boolean write) {
        way.forget();
        long epoch = fabric.epoch();
        Route route = untranslated.find(from, epoch);
        if (route == null || InterruptController.inWindow(from)) {
            return UNUSUAL;
        }
        long at = from;
        long room = route.last() - from;
        boolean root = route.end() == Route.End.ROOT;
        DmaTranslation iommu = root ? fabric.translation() : null;
        if (root) {
            if (iommu != null) {
                int status = translate(iommu, DmaAttributes.NONE, from, write, way.target);
                if (status != DmaResult.OK) {
                    return faulted(from, bytes, write, status);
                }
                at = way.target.physical;
                room = least(room, way.target.bytes - 1);
            } else if (fabric.iommuDeclared) {
                return UNUSUAL;
            }
            route = physical.find(at, epoch);
            if (route == null) {
                return UNUSUAL;
            }
            room = least(room, route.last() - at);
        }
        if (route.segment() == null) {
            return UNUSUAL;
        }
        room = least(room, Long.MAX_VALUE - 1) + 1;
        way.keep(route, epoch, from, at, room, root, iommu != null);
        return Math.min(bytes, room);
    }

    private static long least(long a, long b) {
        return Long.compareUnsigned(a, b) < 0 ? a : b;
    }

    /** {@return the IOMMU's answer; what it throws is an unsupported request} */
    private int translate(
            DmaTranslation iommu,
            int attributes,
            long from,
            boolean write,
            DmaTranslation.Target into) {
        into.generation = null;
        try {
            return iommu.translate(requester, attributes, from, write, into);
        } catch (RuntimeException e) {
            LOG.error("{}: translation of 0x{} failed", address(), Long.toHexString(from), e);
            return DmaResult.UNSUPPORTED_REQUEST;
        }
    }

    /** {@return OK with the bytes it covered, at most {@code bytes}; or why not} */
    private long transaction(
            long life,
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        int section = inFlight.enter();
        try {
            long now = state;
            if (now != life) {
                boolean over = now >>> REFUSAL_BITS != life >>> REFUSAL_BITS;
                return DmaResult.of(over ? DmaResult.GONE : refusal(now), 0);
            }
            return request(from, attributes, local, offset, bytes, write);
        } finally {
            inFlight.exit(section);
        }
    }

    /** Takes the way that the ports are programmed for; in the counted section. */
    private long request(
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        Route route = route((attributes & DmaAttributes.TRANSLATED) != 0, from);
        long most = most(route, from, bytes);
        return switch (route.end()) {
            case ROOT -> atRoot(from, attributes, local, offset, most, write);
            case MEMORY, REGISTERS -> move(route, from, from, local, offset, most, write);
            case NOBODY, VIOLATION -> refused(route, from, most, write);
        };
    }

    /** {@return of so many bytes from an address, how many a route covers} */
    private static long most(Route route, long from, long bytes) {
        long room = route.last() - from;
        return Long.compareUnsigned(room, bytes) >= 0 ? bytes : room + 1;
    }

    private Route route(boolean translatedAlready, long from) {
        RouteTable table = translatedAlready ? translated : untranslated;
        long epoch = fabric.epoch();
        Route route = table.find(from, epoch);
        if (route == null) {
            route = fabric.router.fromFunction(function(), from, translatedAlready);
            table.add(route, epoch);
        }
        return route;
    }

    /** The request has come to the root complex: interrupt, or IOMMU and memory. */
    private long atRoot(
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        if (InterruptController.inWindow(from)) {
            return interrupt(from, local, offset, bytes, write);
        }
        DmaTranslation iommu = fabric.translation();
        if (iommu == null && !fabric.iommuDeclared) {
            fabric.translated.reached();
            return behindRoot(from, from, local, offset, bytes, write);
        }
        return translate(iommu, from, attributes, local, offset, bytes, write);
    }

    private long translate(
            @Nullable DmaTranslation iommu,
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        if (iommu == null) {
            return unanswered(from, bytes, write, "the IOMMU is away");
        }
        DmaTranslation.Target into = (DmaTranslation.Target) SPARE.getAndSet(this, null);
        if (into == null) { // another engine of the same function has it
            into = new DmaTranslation.Target();
        }
        int status = translate(iommu, attributes, from, write, into);
        long target = into.physical;
        long covered = Long.compareUnsigned(into.bytes, bytes) < 0 ? into.bytes : bytes;
        SPARE.setRelease(this, into);
        if (status != DmaResult.OK) {
            return faulted(from, bytes, write, status);
        }
        fabric.translated.reached();
        return behindRoot(from, target, local, offset, covered, write);
    }

    /** A fault stops a read at once; of a write it loses this page only (IM-5, IM-8). */
    private long faulted(long from, long bytes, boolean write, int status) {
        long page = Math.min(bytes, PAGE - (from & PAGE - 1));
        return write ? unanswered(from, page, true, "IOMMU fault") : aborted(status);
    }

    private long behindRoot(
            long from, long target, MemorySegment local, long offset, long bytes, boolean write) {
        long epoch = fabric.epoch();
        Route route = physical.find(target, epoch);
        if (route == null) {
            route = fabric.router.fromRoot(function(), target);
            physical.add(route, epoch);
        }
        long most = most(route, target, bytes);
        return switch (route.end()) {
            case MEMORY, REGISTERS -> move(route, from, target, local, offset, most, write);
            default -> refused(route, from, most, write);
        };
    }

    private long move(
            Route route,
            long from,
            long at,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        MemorySegment segment = route.segment();
        if (segment == null) {
            if (!write && fabric.isAnswering()) {
                return unanswered(from, bytes, false, "from inside a register access");
            }
            int status = registers(route, at, local, offset, bytes, write);
            if (status != DmaResult.OK) {
                return DmaResult.of(status, 0);
            }
        } else if (segment.scope().isAlive()) {
            copy(segment, at - route.base(), local, offset, bytes, write);
        } else { // whoever provides it has closed it before it took its route away
            return unanswered(from, bytes, write, route.why() + " is closed");
        }
        traced(from, at, bytes, write);
        return bytes;
    }

    private void traced(long from, long at, long bytes, boolean write) {
        if (write) {
            if (trace.dmaWrite.isOn()) {
                trace.dmaWrite.emit(new BusEvents.DmaWrite(address(), from, at, bytes));
            }
        } else if (trace.dmaRead.isOn()) {
            trace.dmaRead.emit(new BusEvents.DmaRead(address(), from, at, bytes));
        }
    }

    /** PC-55, PC-66: whoever refuses logs it. */
    private long refused(Route route, long from, long bytes, boolean write) {
        RequestErrors.refused(function(), route, from, bytes, write);
        return !write && route.end() == Route.End.VIOLATION
                ? aborted(DmaResult.COMPLETER_ABORT)
                : unanswered(from, bytes, write, route.why());
    }

    private long aborted(int status) {
        function().errors().aborted(status == DmaResult.COMPLETER_ABORT);
        return DmaResult.of(status, 0);
    }

    private void copy(
            MemorySegment target,
            long at,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        fabric.beforeCopy.reached();
        if (write) {
            fabric.beforeArrival.reached();
            MemorySegment.copy(local, offset, target, at, bytes);
        } else {
            MemorySegment.copy(target, at, local, offset, bytes);
        }
    }

    /** A peer's registers: naturally aligned pieces of at most 8 bytes; writes are queued there. */
    private int registers(
            Route route, long target, MemorySegment local, long offset, long bytes, boolean write) {
        Endpoint peer = Objects.requireNonNull(route.function());
        long at = target - route.base();
        if (!write) {
            peer.posted().flush(); // a read never passes an earlier posted write (PC-71)
        }
        for (long done = 0; done < bytes; ) {
            int piece = piece(at + done, bytes - done);
            if (write) {
                long value = Access.get(local, offset + done, piece);
                if (!peer.posted().post(route.bar(), at + done, piece, value)) {
                    lose(target + done, piece, "the peer has left");
                }
            } else {
                long value;
                try {
                    value = peer.registers().arrivingRead(route.bar(), at + done, piece);
                } catch (ReadFailure e) {
                    return RequestErrors.failed(function(), peer, e, target + done, piece);
                }
                Access.set(local, offset + done, piece, value);
            }
            done += piece;
        }
        return DmaResult.OK;
    }

    private static int piece(long at, long left) {
        long aligned = at == 0 ? 8 : Math.min(8, Long.lowestOneBit(at));
        return (int) Math.min(aligned, Long.highestOneBit(left));
    }

    /** Writes of one aligned dword are interrupts, everything else there is an error (IM-9). */
    private long interrupt(long from, MemorySegment local, long offset, long bytes, boolean write) {
        if (!write || bytes != Integer.BYTES || (from & 3) != 0) {
            return unanswered(from, bytes, write, "not an interrupt message");
        }
        deliver(from, local.get(LE_INT, offset));
        return bytes;
    }

    private void deliver(long to, int data) {
        fabric.beforeArrival.reached();
        long message = to << 32 | data & 0xFFFF_FFFFL;
        DmaTranslation iommu = fabric.translation();
        if (iommu != null) {
            message = iommu.interrupt(requester, to, data);
            if (message == -1) {
                lose(to, Integer.BYTES, "interrupt blocked by the IOMMU");
                return;
            }
        }
        if (!fabric.interrupts.deliver(message >>> 32, (int) message)) {
            lose(to, Integer.BYTES, "no handler has this interrupt");
        }
    }

    private long unanswered(long from, long bytes, boolean write, String why) {
        if (!write) {
            return aborted(DmaResult.UNSUPPORTED_REQUEST);
        }
        lose(from, bytes, why);
        return bytes;
    }

    private void lose(long from, long bytes, String why) {
        lost.add(((from & PAGE - 1) + bytes + PAGE - 1) / PAGE); // requests, had they been single
        if (trace.dmaLost.isOn()) {
            trace.dmaLost.emit(new BusEvents.DmaLost(address(), from, bytes, why));
        }
    }

    private long refuse(long from, long bytes, boolean write, int status, long done) {
        refused.increment();
        if (trace.dmaRefused.isOn()) {
            String why = DmaResult.describe(DmaResult.of(status, 0));
            trace.dmaRefused.emit(new BusEvents.DmaRefused(address(), from, bytes, write, why));
        }
        return DmaResult.of(status, done);
    }
}
