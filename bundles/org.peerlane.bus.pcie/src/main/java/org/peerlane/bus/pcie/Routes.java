package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;

/**
 * The routes of one function's requests: from the function on, as they are and translated by
 * itself, and from behind the IOMMU on.
 *
 * <p><b>Threads.</b> Any. <b>Cost.</b> As {@link RouteTable}.
 */
final class Routes {
    private final Fabric fabric;
    private final Sender sender;
    private final RouteTable untranslated = new RouteTable();
    private final RouteTable translated = new RouteTable();
    private final RouteTable physical = new RouteTable();

    Routes(Fabric fabric, Sender sender) {
        this.fabric = fabric;
        this.sender = sender;
    }

    /**
     * {@return the route of a request that leaves the function}
     *
     * @param translatedAlready AT=10b
     */
    Route fromFunction(boolean translatedAlready, long from) {
        RouteTable table = translatedAlready ? translated : untranslated;
        long epoch = fabric.epoch();
        Route route = table.find(from, epoch);
        if (route == null) {
            route = fabric.router.fromFunction(sender.function(), from, translatedAlready);
            table.add(route, epoch);
        }
        return route;
    }

    /** {@return the route of a request that has passed the IOMMU} */
    Route fromRoot(long target) {
        long epoch = fabric.epoch();
        Route route = physical.find(target, epoch);
        if (route == null) {
            route = fabric.router.fromRoot(sender.function(), target);
            physical.add(route, epoch);
        }
        return route;
    }

    /** {@return the route of an untranslated request, or null: not decided in this epoch} */
    @Nullable Route knownFromFunction(long from, long epoch) {
        return untranslated.find(from, epoch);
    }

    /** {@return the route behind the IOMMU, or null: not decided in this epoch} */
    @Nullable Route knownFromRoot(long target, long epoch) {
        return physical.find(target, epoch);
    }

    /** A function has left; nothing here holds on to it. */
    void clear() {
        untranslated.clear();
        translated.clear();
        physical.clear();
    }

    /** {@return of so many bytes from an address, how many a route covers} */
    static long most(Route route, long from, long bytes) {
        long room = route.last() - from;
        return Long.compareUnsigned(room, bytes) >= 0 ? bytes : room + 1;
    }
}
