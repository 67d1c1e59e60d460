package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Who answers at which physical address, at one moment: an immutable snapshot.
 *
 * <p><b>Cost.</b> A look-up is a binary search over longs; no allocation.
 */
final class Routes {
    private final Route[] routes;

    /** Lowest address of each route, rising, with the top bit flipped: unsigned order. */
    private final long[] firsts;

    private Routes(List<Route> sorted) {
        routes = sorted.toArray(Route[]::new);
        firsts = new long[routes.length];
        for (int i = 0; i < firsts.length; i++) {
            firsts[i] = routes[i].first() ^ Long.MIN_VALUE;
        }
    }

    /**
     * Makes a snapshot. Of two that overlap, the one that comes first in the list answers, the
     * other does not decode at all (PC-19).
     *
     * @param wanted highest priority first
     * @param conflict told of each that does not decode, and because of whom
     */
    static Routes of(List<Route> wanted, BiConsumer<Route, Route> conflict) {
        List<Route> kept = new ArrayList<>();
        for (Route route : wanted) {
            Route winner = kept.stream().filter(route::overlaps).findFirst().orElse(null);
            if (winner == null) {
                kept.add(route);
            } else {
                conflict.accept(route, winner);
            }
        }
        kept.sort(Comparator.comparingLong(route -> route.first() ^ Long.MIN_VALUE));
        return new Routes(kept);
    }

    /** {@return who answers there, or null: nobody} */
    @Nullable Route find(long physical) {
        int at = atOrBelow(physical);
        if (at >= 0 && Long.compareUnsigned(physical, routes[at].last()) <= 0) {
            return routes[at];
        }
        return null;
    }

    /** {@return of {@code bytes} from an address that nobody answers, how many nobody answers} */
    long hole(long physical, long bytes) {
        int next = atOrBelow(physical) + 1;
        if (next == routes.length) {
            return bytes;
        }
        long gap = routes[next].first() - physical;
        return Long.compareUnsigned(gap, bytes) < 0 ? gap : bytes;
    }

    private int atOrBelow(long physical) {
        long key = physical ^ Long.MIN_VALUE;
        int low = 0;
        int high = firsts.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (firsts[middle] <= key) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }
}
