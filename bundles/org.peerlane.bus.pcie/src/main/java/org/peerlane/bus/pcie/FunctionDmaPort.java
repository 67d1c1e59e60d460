package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieAddress;

/**
 * One function's way onto the bus.
 *
 * <p><b>A transaction</b> enters the count of what is in flight, checks that the {@link Life} it
 * was begun in still lasts and that bus mastering is on, translates, finds the target, and moves
 * the bytes: the usual one as a {@link DirectRequest}, any as a {@link RoutedRequest}, and where
 * posted writes are queued as a {@link QueuedRequest}.
 *
 * <p><b>Not modelled.</b> MPS and MRRS (a transaction has up to 4 KiB), time.
 */
final class FunctionDmaPort implements DmaPort {
    private static final long PAGE = 4096;

    /** How far a drain may have to wait for one that is under way. */
    private static final long RUN = 16 * PAGE;

    private final Fabric fabric;
    private final Life life = new Life();
    private final Sender sender = new Sender();
    private final InFlight inFlight;
    private final Outcomes outcomes;
    private final Routes routes;
    private final Completer completer;
    private final Observation observation;
    private final DirectRequest direct;
    private final RoutedRequest routed;

    /** Null: a posted write arrives at once. */
    private final @Nullable QueuedRequest queued;

    FunctionDmaPort(Fabric fabric) {
        this.fabric = fabric;
        inFlight = new InFlight(fabric.execution, "bus.in-flight");
        outcomes = new Outcomes(fabric.trace, sender);
        routes = new Routes(fabric, sender);
        completer = new Completer(fabric, sender, outcomes);
        observation = new Observation(fabric, sender);
        direct = new DirectRequest(fabric, life, inFlight, sender, routes, outcomes);
        routed = new RoutedRequest(fabric, sender, routes, completer, outcomes);
        queued =
                fabric.queued
                        ? new QueuedRequest(
                                fabric, life, inFlight, routes, routed, outcomes, observation)
                        : null;
    }

    void function(Endpoint endpoint) {
        sender.function(endpoint);
        if (queued != null) {
            queued.name(endpoint.slot());
        }
    }

    /** Says how its requests are signed from now on. */
    void requester(int now) {
        sender.requester(now);
        fabric.changed();
    }

    /** {@return segment and requester id} */
    int requester() {
        return sender.requester();
    }

    PcieAddress address() {
        return sender.address();
    }

    /**
     * Says in which life the function is and whether it may send.
     *
     * @param generation differs between lives
     * @param refusal OK, or the status of everything that begins now
     */
    void state(long generation, int refusal) {
        life.is(generation, refusal);
    }

    /** The function has been pulled out: what had left it still arrives (PC-68). */
    void departed(long generation) {
        life.departed(generation);
    }

    /** {@return OK, or the status that refuses everything now} */
    int refusal() {
        return Life.refusal(life.state());
    }

    /** Waits for the transactions that began before; not from inside one. */
    void drain() {
        inFlight.drain();
    }

    /** Waits until nothing that the function has posted is on its way. */
    void settle() {
        drain(); // who is about to post has posted
        if (queued != null) {
            queued.flushAll();
            drain();
        }
    }

    /** A function has left; nothing here holds on to it. */
    void forget(Endpoint gone) {
        routes.clear();
        if (queued != null) {
            queued.forget(gone);
        }
    }

    /** Nothing more will be posted. */
    void close() {
        if (queued != null) {
            queued.close();
        }
    }

    /** {@return transactions of posted writes that nobody took} */
    long lost() {
        return outcomes.lost();
    }

    /** {@return requests that were refused, and the function told so} */
    long refused() {
        return outcomes.refused();
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
            return sender.translationRequest(iommu, attributes, address, permissions, into);
        } finally {
            inFlight.exit(section);
        }
    }

    /** A page request; outside of the counted section, the IOMMU only queues it. */
    void pageRequest(DmaTranslation iommu, int attributes, long address, int flags, int group) {
        sender.pageRequest(iommu, attributes, address, flags, group);
    }

    /** Sends an interrupt message: four bytes in the function's name (PC-30). */
    int message(long to, int data) {
        long begun = life.state();
        if (queued == null && Life.refusal(begun) == DmaResult.OK) {
            int section = inFlight.enter();
            try {
                if (life.state() == begun
                        && InterruptController.inWindow(to)
                        && routes.fromFunction(false, to).end() == Route.End.ROOT) {
                    completer.deliver(to, data);
                    return DmaResult.OK;
                }
            } finally {
                inFlight.exit(section);
            }
        }
        MemorySegment bytes = Completer.bytesOf(data); // to memory, or queued
        return DmaResult.status(write(to, DmaAttributes.NONE, bytes, 0, Integer.BYTES));
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
        long begun = life.state();
        if (Life.refusal(begun) != DmaResult.OK) {
            return outcomes.refuse(at, length, write, Life.refusal(begun), 0);
        }
        if (length == 0) {
            return write ? DmaResult.OK : flush(begun, at, attributes, local);
        }
        if (Long.compareUnsigned(at + (length - 1), at) < 0) { // never wraps to address 0
            return outcomes.refuse(at, length, write, DmaResult.UNSUPPORTED_REQUEST, 0);
        }
        if (queued != null) {
            if (write) {
                return queued.write(begun, at, attributes, local, offset, length);
            }
            queued.push(at, attributes, length);
        }
        return run(begun, at, attributes, local, offset, length, write);
    }

    /** A read of no bytes: pushes the writes of its path (PC-75). */
    private long flush(long begun, long at, int attributes, MemorySegment local) {
        if (queued != null) {
            queued.push(at, attributes, 0);
        }
        return transaction(begun, at, attributes, local, 0, 0, false);
    }

    private long run(
            long begun,
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
            DmaObserver observer = fabric.observer();
            long token =
                    observer == null
                            ? DmaObserver.NOTHING
                            : observation.begins(observer, attributes, from, bytes, write);
            long result =
                    attributes == DmaAttributes.NONE
                            ? direct.move(begun, from, local, offset + done, bytes, write)
                            : DirectRequest.UNUSUAL;
            if (result == DirectRequest.UNUSUAL) {
                result = transaction(begun, from, attributes, local, offset + done, bytes, write);
            }
            if (observer != null && token != DmaObserver.NOTHING) {
                observation.ended(observer, token, from, bytes, result);
            }
            if (!DmaResult.isOk(result)) {
                return failed(begun, from, bytes, write, result, done);
            }
            done += Outcomes.covered(result);
            if (done == length) {
                return done;
            }
            fabric.betweenTransactions.reached();
        }
    }

    private long failed(long begun, long from, long bytes, boolean write, long result, long done) {
        int status = DmaResult.status(result);
        if (status == DmaResult.TIMEOUT) {
            long its = Life.generation(begun);
            status = RequestErrors.awaitTimeout(sender.function(), its, from, bytes);
        }
        return outcomes.refuse(from, bytes, write, status, done);
    }

    /** {@return OK with the bytes it covered, at most {@code bytes}; or why not} */
    private long transaction(
            long begun,
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        int section = inFlight.enter();
        try {
            long now = life.state();
            if (now != begun) {
                return DmaResult.of(Life.over(begun, now), 0);
            }
            return routed.move(from, attributes, local, offset, bytes, write);
        } finally {
            inFlight.exit(section);
        }
    }
}
