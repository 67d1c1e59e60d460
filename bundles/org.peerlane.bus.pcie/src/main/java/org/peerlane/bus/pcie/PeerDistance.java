package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerRoute;

/**
 * How one function reaches the BARs of another, as an operating system judges it from the tree and
 * from what it knows of the host bridges (PC-58, PP-1 to PP-5, P2-3, P2-4). Nothing is cached: ACS
 * may have changed.
 *
 * <p><b>Distance.</b> Steps up from the one to the bridge that both have in common, plus steps up
 * from the other; with no such bridge, steps up to the root complex.
 */
@SuppressWarnings("ReferenceEquality") // functions are what they are
final class PeerDistance {
    private PeerDistance() {}

    static PeerRoute of(PcieFunction provider, PcieFunction client) {
        if (!(provider instanceof Endpoint from) || !from.isPresent()) {
            return PeerRoute.none("not allowed: %s provides no memory".formatted(name(provider)));
        }
        if (!(client instanceof Endpoint to) || !to.isPresent()) {
            return PeerRoute.none("not allowed: %s is no device".formatted(name(client)));
        }
        long offset = from.bus().host.offset();
        if (from == to) {
            return new PeerRoute(
                    PeerRoute.Kind.BUS_ADDRESS, 0, "the same function; its bus refuses it", offset);
        }
        BusFunction common = from;
        int up = 0;
        while (common != null) {
            int other = steps(to, common);
            if (other >= 0) {
                return below(from, to, common, up + other, offset);
            }
            common = above(common);
            up++;
        }
        return throughHost(from, to, up + depth(to), "no common upstream switch", offset);
    }

    private static String name(PcieFunction function) {
        return function.slot();
    }

    private static PeerRoute below(
            Endpoint from, Endpoint to, BusFunction common, int distance, long offset) {
        Port redirects = redirecting(from, common);
        if (redirects == null) {
            redirects = redirecting(to, common);
        }
        if (redirects == null) {
            return new PeerRoute(
                    PeerRoute.Kind.BUS_ADDRESS,
                    distance,
                    "both are below %s and no port redirects".formatted(common.name()),
                    offset);
        }
        return throughHost(
                from, to, distance, "ACS of %s redirects".formatted(redirects.name()), offset);
    }

    private static PeerRoute throughHost(
            Endpoint from, Endpoint to, int distance, String why, long offset) {
        HostBridge one = from.bus().host;
        HostBridge other = to.bus().host;
        for (HostBridge host : new HostBridge[] {one, other}) {
            if (!host.config().listed()) {
                return PeerRoute.none(
                        "not allowed: %s and %s not on the list".formatted(why, host));
            }
        }
        if (one != other && (one.config().sameOnly() || other.config().sameOnly())) {
            return PeerRoute.none(
                    "not allowed: %s, and %s and %s are on the list for devices below one only"
                            .formatted(why, one, other));
        }
        return new PeerRoute(
                PeerRoute.Kind.THROUGH_HOST_BRIDGE,
                distance,
                "%s; %s is on the list".formatted(why, one == other ? one : one + " and " + other),
                offset);
    }

    /** {@return the first port on the way up, short of the common one, that redirects} */
    private static @Nullable Port redirecting(BusFunction from, BusFunction common) {
        int bits =
                PortState.REQUEST_REDIRECT
                        | PortState.COMPLETION_REDIRECT
                        | PortState.EGRESS_CONTROL;
        for (BusFunction at = from; at != null && at != common; at = above(at)) {
            if (at instanceof Port port && (port.state().acs() & bits) != 0) {
                return port;
            }
        }
        return null;
    }

    /** {@return how many steps up from a function another is, or -1: not above it} */
    private static int steps(BusFunction from, BusFunction to) {
        int steps = 0;
        for (BusFunction at = from; at != null; at = above(at)) {
            if (at == to) {
                return steps;
            }
            steps++;
        }
        return -1;
    }

    private static int depth(BusFunction from) {
        int depth = 0;
        for (BusFunction at = from; at != null; at = above(at)) {
            depth++;
        }
        return depth;
    }

    private static @Nullable BusFunction above(BusFunction function) {
        return function.bus().parent;
    }
}
