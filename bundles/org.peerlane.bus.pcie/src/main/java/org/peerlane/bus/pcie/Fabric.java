package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * What the functions of one root complex share: who is there, who answers at which address, the
 * IOMMU and the interrupt controller.
 *
 * <p><b>Locks.</b> {@code bus.topology} guards the list of functions and orders the making of
 * routes; it comes before {@code bus.function}. The snapshots are read without a lock.
 */
final class Fabric {
    private static final Logger LOG = LogManager.getLogger(Fabric.class);

    final Execution execution;
    final BusTrace trace;
    final InterruptController interrupts;

    final Checkpoint translated;
    final Checkpoint beforeCopy;
    final Checkpoint betweenTransactions;
    final Checkpoint beforeArrival;

    /** Whether the board has an IOMMU; then nothing passes while the service is away. */
    final boolean iommuDeclared;

    private final PhysicalMemory memory;
    private final NamedLock topology;

    /** Guarded by topology. */
    private final List<Endpoint> members = new ArrayList<>();

    /** What the log has been told about already. Guarded by topology. */
    private Set<String> conflicts = new HashSet<>();

    private volatile List<Endpoint> endpoints = List.of();
    private volatile Routes routes;
    private volatile @Nullable DmaTranslation translation;

    Fabric(Execution execution, BusTrace trace, PhysicalMemory memory, boolean iommuDeclared) {
        this.execution = execution;
        this.trace = trace;
        this.memory = memory;
        this.iommuDeclared = iommuDeclared;
        translated = execution.checkpoint("bus.dma.translated");
        beforeCopy = execution.checkpoint("bus.dma.before-copy");
        betweenTransactions = execution.checkpoint("bus.dma.between-transactions");
        beforeArrival = execution.checkpoint("bus.dma.before-arrival");
        topology = execution.lock("bus.topology");
        interrupts = new InterruptController(execution);
        routes = Routes.of(List.of(), Fabric::overlap);
        rebuild();
    }

    private static void overlap(Route loser, Route winner) {
        throw new IllegalStateException(loser + " overlaps " + winner);
    }

    /** {@return the functions that are present, by address; an immutable snapshot} */
    List<Endpoint> endpoints() {
        return endpoints;
    }

    Routes routes() {
        return routes;
    }

    @Nullable DmaTranslation translation() {
        return translation;
    }

    void translation(@Nullable DmaTranslation now) {
        translation = now;
    }

    void add(Endpoint endpoint) {
        change(() -> members.add(endpoint));
    }

    void remove(Endpoint endpoint) {
        change(() -> members.remove(endpoint));
    }

    private void change(Runnable edit) {
        topology.lock();
        try {
            edit.run();
            members.sort(Comparator.comparing(Endpoint::address));
            endpoints = List.copyOf(members);
            rebuild();
        } finally {
            topology.unlock();
        }
    }

    /** Makes the routes anew after the decode of some function has changed. */
    void rebuild() {
        topology.lock();
        try {
            List<Route> wanted = new ArrayList<>();
            for (MemoryRegion region : memory.regions()) {
                wanted.add(
                        new Route(
                                region.name(),
                                region.range().first().value(),
                                region.range().last().value(),
                                region.segment(),
                                null,
                                0));
            }
            members.forEach(endpoint -> wanted.addAll(wantedBy(endpoint)));
            Set<String> found = new HashSet<>();
            Set<Route> losers = new HashSet<>();
            routes = Routes.of(wanted, (loser, winner) -> conflict(loser, winner, found, losers));
            conflicts = found;
            members.forEach(endpoint -> endpoint.decoded(decodedOf(endpoint, wanted, losers)));
        } finally {
            topology.unlock();
        }
    }

    private void conflict(Route loser, Route winner, Set<String> found, Set<Route> losers) {
        assert topology.isHeldByCurrentThread();
        losers.add(loser);
        String sentence =
                "%s at 0x%x does not decode: %s answers at 0x%x to 0x%x"
                        .formatted(
                                loser.name(),
                                loser.first(),
                                winner.name(),
                                winner.first(),
                                winner.last());
        if (found.add(sentence) && !conflicts.contains(sentence)) {
            LOG.warn("{}", sentence);
        }
    }

    private static List<Route> wantedBy(Endpoint endpoint) {
        List<Route> wanted = new ArrayList<>();
        long[] bases = endpoint.wanted();
        for (BarLayout bar : endpoint.layout().bars()) {
            long base = bases[bar.index()];
            if (base != 0) {
                wanted.add(
                        new Route(
                                endpoint.slot() + " BAR " + bar.index(),
                                base,
                                base + bar.bytes() - 1,
                                bar.memory(),
                                endpoint,
                                bar.index()));
            }
        }
        return wanted;
    }

    private static int decodedOf(Endpoint endpoint, List<Route> wanted, Set<Route> losers) {
        int mask = 0;
        for (Route route : wanted) {
            if (route.function() == endpoint && !losers.contains(route)) {
                mask |= 1 << route.bar();
            }
        }
        return mask;
    }

    /**
     * Waits for every transaction that began before, whosever it is: after it, nobody uses an older
     * snapshot of the routes. Not from inside a transaction.
     */
    void drain() {
        for (Endpoint endpoint : endpoints) {
            endpoint.port().drain();
        }
    }
}
