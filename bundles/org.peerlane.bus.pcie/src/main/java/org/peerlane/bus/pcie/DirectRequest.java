package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;

/**
 * The same as {@link RoutedRequest} for the usual request: by an owner of the counted section, on
 * routes that are decided, to memory. Short and flat, so that the JIT makes one piece of code of
 * it; what is unusual is left to the other, and then nothing has been done.
 *
 * <p><b>Threads.</b> Any; each owner has {@link Shortcut}s of its own.
 */
final class DirectRequest {
    /** Left to {@link RoutedRequest}. */
    static final long UNUSUAL = -1;

    private final Fabric fabric;
    private final Life life;
    private final InFlight inFlight;
    private final Sender sender;
    private final Routes routes;
    private final Outcomes outcomes;

    /** By owner and direction; made by the owner. */
    private final @Nullable Shortcut[] last = new Shortcut[2 * InFlight.OWNERS];

    DirectRequest(
            Fabric fabric,
            Life life,
            InFlight inFlight,
            Sender sender,
            Routes routes,
            Outcomes outcomes) {
        this.fabric = fabric;
        this.life = life;
        this.inFlight = inFlight;
        this.sender = sender;
        this.routes = routes;
        this.outcomes = outcomes;
    }

    /**
     * One request without attributes.
     *
     * @param begun the state in which it was begun
     * @return OK with the bytes it covered, at most {@code bytes}; why not; or {@link #UNUSUAL}
     */
    long move(long begun, long from, MemorySegment local, long offset, long bytes, boolean write) {
        int section = inFlight.enterOwn();
        if (section < 0) {
            return UNUSUAL;
        }
        try {
            if (life.state() != begun) {
                return UNUSUAL;
            }
            Fabric common = fabric;
            Shortcut way = last[write ? section + InFlight.OWNERS : section];
            long covered = bytes;
            if (way == null || !way.leads(from, bytes, common.epoch())) {
                way = way(section, write);
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
            outcomes.moved(from, way.physical + inside, covered, write);
            return covered;
        } finally {
            inFlight.exit(section);
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

    private Shortcut way(int owner, boolean write) {
        int at = write ? owner + InFlight.OWNERS : owner;
        Shortcut way = last[at];
        if (way == null) {
            way = new Shortcut();
            last[at] = way;
        }
        return way;
    }

    /**
     * Finds the way to memory.
     *
     * @return the bytes for which it holds; if the way then has no segment, what {@link #move}
     *     answers
     */
    private long explore(Shortcut way, long from, long bytes, boolean write) {
        way.forget();
        long epoch = fabric.epoch();
        Route route = routes.knownFromFunction(from, epoch);
        if (route == null || InterruptController.inWindow(from)) {
            return UNUSUAL;
        }
        long at = from;
        long room = route.last() - from;
        boolean root = route.end() == Route.End.ROOT;
        DmaTranslation iommu = root ? fabric.translation() : null;
        if (root) {
            if (iommu != null) {
                int status = sender.translate(iommu, DmaAttributes.NONE, from, write, way.target);
                if (status != DmaResult.OK) {
                    return outcomes.faulted(from, bytes, write, status);
                }
                at = way.target.physical;
                room = least(room, way.target.bytes - 1);
            } else if (fabric.iommuDeclared) {
                return UNUSUAL;
            }
            route = routes.knownFromRoot(at, epoch);
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
}
