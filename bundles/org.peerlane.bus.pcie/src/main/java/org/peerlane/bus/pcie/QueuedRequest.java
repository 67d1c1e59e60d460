package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.DmaResult;

/**
 * Requests of a function whose posted writes are queued, path by path: a write is posted, a read
 * waits for the earlier writes of its paths (PC-75).
 *
 * <p><b>Threads.</b> Any; arrivals come on the paths' threads.
 */
final class QueuedRequest {
    private static final long PAGE = 4096;

    private final Fabric fabric;
    private final Life life;
    private final InFlight inFlight;
    private final Routes routes;
    private final RoutedRequest routed;
    private final Outcomes outcomes;
    private final Observation observation;
    private final PostedPaths paths;

    QueuedRequest(
            Fabric fabric,
            Life life,
            InFlight inFlight,
            Routes routes,
            RoutedRequest routed,
            Outcomes outcomes,
            Observation observation) {
        this.fabric = fabric;
        this.life = life;
        this.inFlight = inFlight;
        this.routes = routes;
        this.routed = routed;
        this.outcomes = outcomes;
        this.observation = observation;
        paths = new PostedPaths(fabric, this::arrive);
    }

    /** Says whose paths they are. */
    void name(String slot) {
        paths.name(slot);
    }

    /** Posts a write, request by request. {@return as a write} */
    long write(long begun, long at, int attributes, MemorySegment local, long offset, long length) {
        for (long done = 0; done < length; ) {
            long from = at + done;
            long bytes = step(from, length - done);
            long result = post(begun, from, attributes, local, offset + done, bytes);
            if (!DmaResult.isOk(result)) {
                return outcomes.refuse(from, bytes, true, DmaResult.status(result), done);
            }
            done += result;
            if (done < length) {
                fabric.betweenTransactions.reached();
            }
        }
        return length;
    }

    /** Waits for the writes that a read of some bytes finds before it. */
    void push(long at, int attributes, long length) {
        boolean translated = (attributes & DmaAttributes.TRANSLATED) != 0;
        long done = 0;
        do {
            long from = at + done;
            Route route = routes.fromFunction(translated, from);
            if (route.end() == Route.End.NOBODY) {
                paths.flushAll(); // it may have met them all
            } else {
                paths.flush(route.function());
            }
            done += Routes.most(route, from, step(from, length - done));
        } while (done < length);
    }

    private static long step(long from, long left) {
        return Math.min(left, PAGE - (from & (PAGE - 1)));
    }

    /**
     * Posts one request; in the counted section, so that who has closed a door and drained finds it
     * on its path. {@return OK with the bytes that the request covers, or why not}
     */
    private long post(
            long begun, long from, int attributes, MemorySegment local, long offset, long bytes) {
        int section = inFlight.enter();
        try {
            int refusal = Life.refusal(life.state());
            if (refusal != DmaResult.OK) {
                return DmaResult.of(refusal, 0);
            }
            Route route = routes.fromFunction((attributes & DmaAttributes.TRANSLATED) != 0, from);
            long most = Routes.most(route, from, bytes);
            DmaObserver observer = fabric.observer();
            long token =
                    observer == null
                            ? DmaObserver.NOTHING
                            : observation.begins(observer, attributes, from, most, true);
            paths.post(
                    route.function(),
                    begun,
                    from,
                    attributes,
                    observer,
                    token,
                    local,
                    offset,
                    most);
            return most;
        } finally {
            inFlight.exit(section);
        }
    }

    /** A queued write goes on; bus master may be off by now (PC-65), but not its life over. */
    private void arrive(
            long begun,
            long address,
            int attributes,
            @Nullable DmaObserver observer,
            long token,
            MemorySegment data,
            long offset,
            long bytes) {
        long done = 0;
        while (done < bytes) {
            int section = inFlight.enter();
            long result;
            try {
                if (!life.lets(begun)) {
                    outcomes.lose(address + done, bytes - done, "it is of an earlier life");
                    if (observer != null && token != DmaObserver.NOTHING) {
                        long gone = DmaResult.of(DmaResult.GONE, 0);
                        observation.ended(observer, token, address + done, bytes - done, gone);
                    }
                    return;
                }
                result =
                        routed.move(
                                address + done,
                                attributes,
                                data,
                                offset + done,
                                bytes - done,
                                true);
                if (observer != null && token != DmaObserver.NOTHING) {
                    observation.ended(observer, token, address + done, bytes - done, result);
                }
            } finally {
                inFlight.exit(section);
            }
            if (!DmaResult.isOk(result)) {
                outcomes.lose(address + done, bytes - done, DmaResult.describe(result));
                return;
            }
            done += Outcomes.covered(result);
        }
    }

    /** Waits until everything that is queued has arrived. */
    void flushAll() {
        paths.flushAll();
    }

    /** A function has left. */
    void forget(Endpoint gone) {
        paths.forget(gone);
    }

    /** Nothing more will be posted. */
    void close() {
        paths.close();
    }
}
