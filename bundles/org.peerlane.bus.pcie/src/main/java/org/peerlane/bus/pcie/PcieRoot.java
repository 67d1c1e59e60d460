package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/**
 * The host bridge: the functions of bus 0, where they decode, where their requests go, and the
 * interrupt controller.
 *
 * <p><b>Locks.</b> {@code bus.topology} guards the list of functions, the address windows and the
 * making of routes; readers take snapshots.
 */
final class PcieRoot implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(PcieRoot.class);

    private final PhysicalMemory memory;
    private final boolean iommu;
    private final NamedLock topology;
    private final InterruptController interrupts;
    private final PeerAccess peers = new PeerAccess();
    private final Tracepoint<BusEvents.FunctionAdded> added;
    private final Tracepoint<BusEvents.FunctionRemoved> removed;

    /** 32-bit BARs, below the interrupt window. Guarded by topology. */
    private final AddressWindow low = new AddressWindow(0xC000_0000L, 0xFEBF_FFFFL);

    /** 64-bit prefetchable BARs, far above RAM. Guarded by topology. */
    private final AddressWindow high = new AddressWindow(0x80_0000_0000L, 0xFF_FFFF_FFFFL);

    /** By address. Guarded by topology for writing. */
    private volatile List<Function> functions = List.of();

    private volatile Routes routes = Routes.of(List.of());
    private volatile @Nullable DmaTranslation translation;

    /**
     * @param iommu whether the board declares one: then requests need a translation, and are
     *     blocked without
     */
    PcieRoot(Execution execution, Tracer tracer, PhysicalMemory memory, boolean iommu) {
        this.memory = memory;
        this.iommu = iommu;
        topology = execution.lock("bus.topology");
        interrupts = new InterruptController(execution);
        added = tracer.point(BusEvents.FunctionAdded.class);
        removed = tracer.point(BusEvents.FunctionRemoved.class);
        rebuildRoutes();
    }

    /** The IOMMU, or null: it is not there. */
    void translation(@Nullable DmaTranslation provider) {
        translation = provider;
    }

    List<PcieFunction> functions() {
        return List.copyOf(functions);
    }

    Routes routes() {
        return routes;
    }

    PeerAccess peers() {
        return peers;
    }

    InterruptController interrupts() {
        return interrupts;
    }

    /** Where a request goes; identity on a board without an IOMMU. */
    int translate(
            int requester,
            int attributes,
            long address,
            boolean write,
            DmaTranslation.Target into) {
        if (!iommu) {
            into.physical = address;
            into.bytes = Long.MAX_VALUE;
            return DmaResult.OK;
        }
        DmaTranslation provider = translation;
        return provider == null
                ? DmaResult.UNSUPPORTED_REQUEST
                : provider.translate(requester, attributes, address, write, into);
    }

    /** A message-signalled interrupt: a four-byte write, to the controller or to memory. */
    void message(FunctionDma from, long address, int data) {
        if (Long.compareUnsigned(address - InterruptController.FIRST, 1 << 20) < 0) {
            interrupts.deliver(data);
            return;
        }
        MemorySegment word = MemorySegment.ofArray(new int[1]);
        word.set(ValueLayout.JAVA_INT, 0, data);
        from.write(address, DmaAttributes.NONE, word, 0, 4);
    }

    /** Puts a function onto the bus and assigns its BARs. */
    void add(Function function) {
        topology.lock();
        try {
            List<Function> now = new ArrayList<>(functions);
            now.add(function);
            now.sort((a, b) -> a.address().compareTo(b.address()));
            functions = List.copyOf(now);
            for (BarLayout bar : function.barsBySize()) {
                assign(function, bar);
            }
        } finally {
            topology.unlock();
        }
        if (added.isOn()) {
            added.emit(new BusEvents.FunctionAdded(function.slot(), function.address().toString()));
        }
    }

    private void assign(Function function, BarLayout bar) {
        AddressWindow window = bar.wide() && bar.prefetchable() ? high : low; // PC-44
        long at = window.take(bar.bytes(), function);
        if (at == 0) {
            LOG.error(
                    "{}: no room for BAR {} of {} bytes in {}",
                    function.slot(),
                    bar.index(),
                    bar.bytes(),
                    window);
            return;
        }
        function.writeConfig(Header.BAR0 + 4 * bar.index(), 4, at & 0xFFFF_FFFFL);
        if (bar.wide()) {
            function.writeConfig(Header.BAR0 + 4 * bar.index() + 4, 4, at >>> 32);
        }
    }

    /** Takes a function that is absent off the bus. */
    void remove(Function function) {
        topology.lock();
        try {
            functions = functions.stream().filter(f -> f != function).toList();
            low.giveBack(function);
            high.giveBack(function);
        } finally {
            topology.unlock();
        }
        rebuildRoutes();
        if (removed.isOn()) {
            removed.emit(
                    new BusEvents.FunctionRemoved(function.slot(), function.address().toString()));
        }
    }

    /** Reads anew who decodes what. */
    void rebuildRoutes() {
        topology.lock();
        try {
            List<Routes.Target> targets = new ArrayList<>();
            for (MemoryRegion region : memory.regions()) {
                long first = region.range().first().value();
                long last = region.range().last().value();
                targets.add(new Routes.Target(first, last, region.segment(), null, 0));
            }
            for (Function function : functions) {
                function.addRoutes(targets);
            }
            Routes now = Routes.of(targets);
            if (!now.conflicts().equals(routes.conflicts())) {
                now.conflicts().forEach(c -> LOG.warn("{}", c));
            }
            routes = now;
        } finally {
            topology.unlock();
        }
    }

    @Override
    public void close() {
        interrupts.close();
    }
}
