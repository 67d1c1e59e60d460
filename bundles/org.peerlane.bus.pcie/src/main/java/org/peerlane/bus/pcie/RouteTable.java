package org.peerlane.bus.pcie;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The routes that one function has asked for so far, by address: what {@link Router} decided, kept
 * as long as no port and no decoder of the tree changes.
 *
 * <p><b>Cost.</b> The route used last is found by one comparison, another by a binary search; no
 * allocation. A route that is not there yet is decided once per epoch.
 *
 * <p><b>Threads.</b> Any; no lock. Two that add at once may lose one of the two, which is then
 * decided again.
 */
final class RouteTable {
    /** More routes than any device uses at a time; beyond, the table starts anew. */
    private static final int MOST = 4096;

    private static final Table EMPTY = new Table(-1, new Route[0]);

    private static final class Table {
        final long epoch;

        /** By rising first address, unsigned; no two overlap. */
        final Route[] routes;

        /** The one used last; racy on purpose. */
        @Nullable Route recent;

        Table(long epoch, Route[] routes) {
            this.epoch = epoch;
            this.routes = routes;
        }
    }

    private volatile Table table = EMPTY;

    /** {@return the route of an address, or null: not decided in this epoch} */
    @Nullable Route find(long address, long epoch) {
        Table now = table;
        if (now.epoch != epoch) {
            return null;
        }
        Route recent = now.recent;
        if (recent != null && recent.covers(address)) {
            return recent;
        }
        Route found = search(now.routes, address);
        if (found != null) {
            now.recent = found;
        }
        return found;
    }

    private static @Nullable Route search(Route[] routes, long address) {
        int low = 0;
        int high = routes.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Route route = routes[middle];
            if (route.covers(address)) {
                return route;
            }
            if (Long.compareUnsigned(route.first(), address) < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return null;
    }

    /** Keeps a route that was decided when the epoch was this. */
    void add(Route route, long epoch) {
        Table now = table;
        Route[] before = now.epoch == epoch && now.routes.length < MOST ? now.routes : EMPTY.routes;
        if (now.epoch == epoch && search(before, route.first()) != null) {
            return; // another thread was first
        }
        Route[] after = Arrays.copyOf(before, before.length + 1);
        int at = before.length;
        while (at > 0 && Long.compareUnsigned(before[at - 1].first(), route.first()) > 0) {
            after[at] = before[at - 1];
            at--;
        }
        after[at] = route;
        table = new Table(epoch, after);
    }

    /** Lets go of what it knows: routes name functions, and one of those has left. */
    void clear() {
        table = EMPTY;
    }
}
