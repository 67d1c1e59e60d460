package org.peerlane.bus.pcie;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.config.ErrorMessage;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * What the functions of one root complex share: the tree, how requests find their way through it,
 * the IOMMU and the interrupt controller.
 *
 * <p><b>Epoch.</b> Whoever changes what routing looks at publishes it and then calls {@link
 * #changed}. A route is decided by what was published after its epoch was read, so one that is kept
 * with an epoch that still holds is a route of now.
 *
 * <p><b>Locks.</b> {@code bus.topology} guards who is in the tree; it comes before {@code
 * bus.function}. Routing takes no lock. {@link MemoryWatches} are told with locks of those who
 * change something.
 */
final class Fabric {
    private static final VarHandle EPOCH;

    static {
        try {
            EPOCH = MethodHandles.lookup().findVarHandle(Fabric.class, "epoch", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final Execution execution;
    final BusTrace trace;
    final InterruptController interrupts;
    final IntxLines intx;
    final List<HostBridge> hosts;
    final ConfigCycles config;
    final Router router;
    final MemoryWatches watches;
    final Requesters requesters = new Requesters();

    final Checkpoint translated;
    final Checkpoint beforeCopy;
    final Checkpoint betweenTransactions;
    final Checkpoint beforeArrival;

    /** A queued write is about to go on, to the root complex or to a peer. */
    final Checkpoint rootPath;

    final Checkpoint peerPath;

    /** Posted writes are queued, path by path, instead of arriving at once. */
    final boolean queued;

    /** Whether the board has an IOMMU; then nothing passes while the service is away. */
    final boolean iommuDeclared;

    private final NamedLock topology;

    /** Not null: this thread is in a register access that a peer has made. */
    private final ThreadLocal<Boolean> answering = new ThreadLocal<>();

    private volatile Consumer<Port> hand = port -> {};
    private volatile Consumer<VirtualSet> onVirtual = set -> {};
    private volatile BiConsumer<BusFunction, Boolean> onError = (from, fatal) -> {};

    private volatile Resizer resizer =
            (function, bar, bytes) -> {
                throw new IllegalStateException("no bus yet");
            };

    /** Gives a BAR another size, and an address for it. */
    @FunctionalInterface
    interface Resizer {
        /** The way of {@link PcieFunction#resizeBar}. */
        void resize(Endpoint function, int bar, long bytes);
    }

    @SuppressWarnings("unused") // through EPOCH
    private volatile long epoch;

    private volatile List<BusFunction> functions = List.of();
    private volatile List<Endpoint> endpoints = List.of();
    private volatile @Nullable DmaTranslation translation;
    private volatile @Nullable DmaObserver observer;

    final Listeners listeners = new Listeners();

    Fabric(
            Execution execution,
            BusTrace trace,
            PhysicalMemory memory,
            List<HostBridge> hosts,
            boolean iommuDeclared,
            boolean queued) {
        this.queued = queued;
        this.execution = execution;
        this.trace = trace;
        this.hosts = List.copyOf(hosts);
        this.iommuDeclared = iommuDeclared;
        translated = execution.checkpoint("bus.dma.translated");
        beforeCopy = execution.checkpoint("bus.dma.before-copy");
        betweenTransactions = execution.checkpoint("bus.dma.between-transactions");
        beforeArrival = execution.checkpoint("bus.dma.before-arrival");
        rootPath = execution.checkpoint("bus.posted.to-root");
        peerPath = execution.checkpoint("bus.posted.to-peer");
        topology = execution.lock("bus.topology");
        interrupts = new InterruptController(execution);
        intx = new IntxLines(this);
        config = new ConfigCycles(this.hosts);
        router = new Router(memory, this.hosts);
        watches = new MemoryWatches(execution, router);
    }

    /**
     * A register access of a peer begins or ends on this thread. A device that reads a peer's
     * registers from inside one gets an error: two that do it to each other would never end
     * (ER-11).
     */
    void answering(boolean begins) {
        if (begins) {
            answering.set(true);
        } else {
            answering.remove();
        }
    }

    /** {@return whether this thread is in a register access that a peer has made} */
    boolean isAnswering() {
        return answering.get() != null;
    }

    /** {@return the number of this state of the tree} */
    long epoch() {
        return epoch;
    }

    /**
     * {@return whether anybody could tell a request from its neighbour: by a checkpoint of the way,
     * by the trace, or because he is shown each}
     */
    boolean isWatched() {
        return observer != null
                || translated.isActive()
                || beforeCopy.isActive()
                || betweenTransactions.isActive()
                || beforeArrival.isActive()
                || trace.dmaRead.isOn()
                || trace.dmaWrite.isOn()
                || trace.dmaLost.isOn();
    }

    /** A port, a decoder, who is there, or the IOMMU has changed. */
    void changed() {
        EPOCH.getAndAdd(this, 1L);
        watches.changed();
    }

    /** {@return all functions that are present, ports too, by address; an immutable snapshot} */
    List<BusFunction> functions() {
        return functions;
    }

    /** {@return those that are no ports} */
    List<Endpoint> endpoints() {
        return endpoints;
    }

    @Nullable DmaTranslation translation() {
        return translation;
    }

    void translation(@Nullable DmaTranslation now) {
        translation = now;
        changed(); // ways that are kept hold its answers
    }

    /** {@return who is shown every request, or null} */
    @Nullable DmaObserver observer() {
        return observer;
    }

    void observer(@Nullable DmaObserver now) {
        observer = now;
    }

    void add(BusFunction function) {
        topology.lock();
        try {
            function.bus().add(function);
            publish();
        } finally {
            topology.unlock();
        }
        changed();
    }

    void remove(BusFunction function) {
        topology.lock();
        try {
            function.bus().remove(function);
            publish();
        } finally {
            topology.unlock();
        }
        changed();
    }

    /** Takes the addresses over that an enumeration has given. */
    void readdressed() {
        topology.lock();
        try {
            publish();
        } finally {
            topology.unlock();
        }
        changed();
    }

    private void publish() {
        assert topology.isHeldByCurrentThread();
        List<BusFunction> all = new ArrayList<>();
        hosts.forEach(host -> collect(host.root(), all));
        all.sort(Comparator.comparing(BusFunction::address));
        functions = List.copyOf(all);
        endpoints =
                all.stream().filter(Endpoint.class::isInstance).map(Endpoint.class::cast).toList();
    }

    private static void collect(Bus bus, List<BusFunction> into) {
        for (BusFunction member : bus.members()) {
            into.add(member);
            if (member instanceof Port port) {
                collect(port.secondary(), into);
            }
        }
    }

    /** After {@link #remove} and a drain: nobody keeps a route or a path to the function. */
    void forget(Endpoint gone) {
        for (Endpoint endpoint : endpoints) {
            endpoint.port().forget(gone);
        }
    }

    /** Every function below a bus is held in reset: what it has begun is over. */
    void beginReset(Bus bus) {
        for (BusFunction member : bus.members()) {
            switch (member) {
                case Endpoint endpoint -> {
                    if (!endpoint.isVirtual()) { // those go with their physical one
                        endpoint.holdInReset();
                    }
                }
                case Port port -> {
                    beginReset(port.secondary());
                    port.reset();
                }
            }
        }
    }

    /** The reset below a bus ends. */
    void finishReset(Bus bus, ResetKind kind) {
        for (BusFunction member : bus.members()) {
            switch (member) {
                case Endpoint endpoint -> endpoint.release(kind);
                case Port port -> finishReset(port.secondary(), kind);
            }
        }
    }

    /** Says who takes out what is below a port that software has switched off (PC-70). */
    void onSwitchedOff(Consumer<Port> hand) {
        this.hand = hand;
    }

    void switchedOff(Port port) {
        hand.accept(port);
    }

    /** Says who is told of errors that nothing corrects, and whether they are fatal. */
    void onError(BiConsumer<BusFunction, Boolean> told) {
        onError = told;
    }

    /** Says who gives BARs other sizes. */
    void onResize(Resizer resizer) {
        this.resizer = resizer;
    }

    Resizer resizer() {
        return resizer;
    }

    /** Says who takes notice of virtual functions that have come or gone. */
    void onVirtual(Consumer<VirtualSet> told) {
        onVirtual = told;
    }

    void virtualChanged(VirtualSet set) {
        onVirtual.accept(set);
    }

    /** An error message travels to the root port, which logs it and may interrupt (PC-46). */
    void report(BusFunction from, ErrorMessage message) {
        Port root = message == ErrorMessage.NONE ? null : from.rootPort();
        if (root != null) {
            root.receiveError(message, from.requesterId());
            if (message != ErrorMessage.CORRECTABLE) {
                onError.accept(from, message == ErrorMessage.FATAL);
            }
        }
    }

    /**
     * Waits for every transaction that began before, whosever it is: after it, nobody uses an older
     * route. Not from inside a transaction.
     */
    void drain() {
        for (Endpoint endpoint : endpoints) {
            endpoint.port().drain();
        }
    }
}
