package org.peerlane.bus.pcie;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.pcie.config.BarRegisters;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Routes memory requests hop by hop over the ports as they are programmed now (PC-46 to PC-60).
 * Every answer says for which addresses it holds, and is good until {@link Fabric#epoch} changes.
 *
 * <p><b>Overlap.</b> Of two that claim the same address on one bus, the lower function number has
 * it (PC-19).
 *
 * <p><b>Threads.</b> Any; no lock.
 */
@SuppressWarnings("ReferenceEquality") // ports and buses are what they are
final class Router {
    private final PhysicalMemory memory;
    private final List<HostBridge> hosts;

    Router(PhysicalMemory memory, List<HostBridge> hosts) {
        this.memory = memory;
        this.hosts = hosts;
    }

    /**
     * A request leaves a function: to a peer, or to the root complex.
     *
     * @param translated AT=10b: the function has translated the address itself
     */
    Route fromFunction(Endpoint from, long address, boolean translated) {
        Span span = new Span();
        Route sibling = toSibling(from, address, span);
        if (sibling != null) {
            return sibling;
        }
        Port port = from.bus().parent;
        if (port == null) {
            return Route.toRoot(span, null); // integrated into the root complex
        }
        int bus = from.requesterId() >>> 8;
        boolean redirected = false;
        while (true) {
            PortState state = port.state();
            Route refusal = refusal(port, state, bus, translated, span);
            if (refusal != null) {
                return refusal;
            }
            if (port.kind() == PortKind.ROOT) {
                return Route.toRoot(span, port);
            }
            for (BusFunction member : port.bus().members()) {
                if (member == port || !(member instanceof Port peer)) {
                    continue;
                }
                PortState there = peer.state();
                there.bound(address, span);
                if (there.inWindow(address) && !redirected) {
                    switch (AcsDecision.of(state, peer.device(), translated)) {
                        case DIRECT -> {
                            return down(peer, address, span);
                        }
                        case VIOLATION -> {
                            return Route.violation(
                                    span, port, "ACS egress control of " + port.name());
                        }
                        case REDIRECT -> redirected = true;
                    }
                }
            }
            state.bound(address, span);
            if (state.inWindow(address) && !state.has(PortState.UPSTREAM_FORWARDING)) {
                return Route.nobody(span, port, "the window of " + port.name() + " itself");
            }
            Port upstream = port.bus().parent;
            if (upstream == null) {
                throw new AssertionError(port.name() + " is a downstream port without a switch");
            }
            PortState above = upstream.state();
            above.bound(address, span);
            boolean own = state.inWindow(address);
            if (above.inWindow(address) && !redirected && !own) {
                return Route.nobody(
                        span, upstream, "no downstream port of " + upstream.name() + " claims it");
            }
            if (!above.master()) {
                return Route.nobody(span, upstream, upstream.name() + " has bus master off");
            }
            Port next = upstream.bus().parent;
            if (next == null) { // a switch in the root complex itself
                return Route.toRoot(span, upstream);
            }
            port = next;
        }
    }

    /** What a port does to a request that comes up to it, before it looks at the address. */
    private static @Nullable Route refusal(
            Port port, PortState state, int bus, boolean translated, Span span) {
        if (!state.link()) {
            return Route.nobody(span, port, "the link of " + port.name() + " is down");
        }
        if (state.has(PortState.TRANSLATION_BLOCKING) && translated) {
            return Route.violation(span, port, "ACS translation blocking of " + port.name());
        }
        if (state.has(PortState.SOURCE_VALIDATION)
                && (bus < state.secondary() || bus > state.subordinate())) {
            return Route.violation(span, port, "ACS source validation of " + port.name());
        }
        if (!state.master()) {
            return Route.nobody(span, port, port.name() + " has bus master off"); // PC-43
        }
        return null;
    }

    /** Functions of one device below a port reach each other inside it (PC-60). */
    private static @Nullable Route toSibling(Endpoint from, long address, Span span) {
        if (from.bus().parent == null) {
            return null;
        }
        for (BusFunction member : from.bus().members()) {
            if (member != from
                    && member.device() == from.device() // its virtual functions, too
                    && member instanceof Endpoint sibling
                    && from.reachesSiblings()) {
                int bar = claimedBar(sibling, address, span);
                if (bar >= 0) {
                    return Route.bar(span, sibling.bars().base(bar), sibling, bar, null);
                }
            }
        }
        return null;
    }

    /** {@return which BAR decodes an address, or -1} */
    private static int claimedBar(Endpoint endpoint, long address, Span span) {
        for (int bar = 0; bar <= BarRegisters.ROM; bar++) {
            long base = endpoint.bars().base(bar);
            if (base != 0) {
                long last = base + endpoint.bars().bytes(bar) - 1;
                span.bound(address, base, last);
                if (Long.compareUnsigned(address - base, last - base) <= 0) {
                    return bar;
                }
            }
        }
        return -1;
    }

    /** A request enters a port from above: exactly one below has it, or nobody (PC-48). */
    private static Route down(Port port, long address, Span span) {
        Port at = port;
        while (true) {
            PortState state = at.state();
            if (!state.link()) {
                return Route.nobody(span, at, "the link of " + at.name() + " is down");
            }
            Claim claim = claim(at.secondary(), address, span);
            if (claim.endpoint != null) {
                return Route.bar(span, claim.base, claim.endpoint, claim.bar, at);
            }
            if (claim.port == null) {
                return Route.nobody(span, at, "nobody below " + at.name() + " claims it");
            }
            at = claim.port;
        }
    }

    /** Who claims an address on a bus. */
    private record Claim(@Nullable Port port, @Nullable Endpoint endpoint, int bar, long base) {
        static final Claim NONE = new Claim(null, null, 0, 0);
    }

    private static Claim claim(Bus bus, long address, Span span) {
        for (BusFunction member : bus.members()) {
            switch (member) {
                case Port port -> {
                    PortState state = port.state();
                    state.bound(address, span);
                    if (state.inWindow(address)) {
                        return new Claim(port, null, 0, 0);
                    }
                }
                case Endpoint endpoint -> {
                    int bar = claimedBar(endpoint, address, span);
                    if (bar >= 0) {
                        return new Claim(null, endpoint, bar, endpoint.bars().base(bar));
                    }
                }
            }
        }
        return Claim.NONE;
    }

    /**
     * A request reaches the root complex, with a physical address: from a device after the IOMMU,
     * or from the CPU.
     *
     * @param from who sends; null: the CPU
     */
    Route fromRoot(@Nullable Endpoint from, long physical) {
        Span span = new Span();
        for (MemoryRegion region : memory.regions()) {
            long first = region.range().first().value();
            long last = region.range().last().value();
            span.bound(physical, first, last);
            if (Long.compareUnsigned(physical - first, last - first) <= 0) {
                return Route.ram(span, first, region.segment(), region.name());
            }
        }
        for (HostBridge host : hosts) {
            host.bound(physical, span);
            if (host.decodes(physical)) {
                return into(host, from, physical, span);
            }
        }
        return Route.nobody(span, null, "nobody answers");
    }

    private static Route into(HostBridge host, @Nullable Endpoint from, long physical, Span span) {
        long offset = host.offset();
        long address = physical + offset;
        Span below = new Span();
        Claim claim = claim(host.root(), address, below);
        Route route;
        if (claim.port != null) {
            route = down(claim.port, address, below);
        } else if (claim.endpoint != null) {
            route = Route.bar(below, claim.base, claim.endpoint, claim.bar, null);
        } else {
            route = Route.nobody(below, null, "nobody answers");
        }
        span.narrow(physical, below, offset);
        if (from == null || route.end() == Route.End.NOBODY) {
            return route.shifted(span, offset);
        }
        if (route.function() == from) {
            return Route.nobody(span, null, "own BAR"); // PC-59
        }
        if (!host.config().p2pForwarding() || !from.bus().host.config().p2pForwarding()) {
            return Route.nobody(span, null, host + " does not forward between devices");
        }
        Port root = from.rootPort();
        if (root != null
                && root == claim.port
                && root.hasAcs()
                && !root.state().has(PortState.UPSTREAM_FORWARDING)) {
            return Route.nobody(span, root, root.name() + " does not forward to itself");
        }
        return route.shifted(span, offset);
    }
}
