package org.peerlane.tests.fabric;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Work;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.iommu.core.IommuUnit;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/**
 * A machine made of the real parts: 2 MiB of RAM, a root complex, an IOMMU if it has one.
 *
 * <p>The RAM is one for all schedules, since making its file costs more than a whole schedule; so
 * the page allocator's lock is no switch point. {@link #close} fails if a page is still taken, or
 * if the parts have left a thread or a timer of a live execution; a simulated schedule does not end
 * before its threads.
 */
final class Rig implements AutoCloseable {
    private static final IommuSettings STRICT =
            IommuSettings.of(TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT);

    static final long SECOND = 1_000_000_000L;

    /** A root port with a switch of two below it. */
    static final List<PortConfig> SWITCH =
            List.of(
                    new PortConfig("rp0", "00:01.0", 0, true, true),
                    new PortConfig("sw0", "rp0", 2, true, true));

    private static final LiveExecution LIVE = new LiveExecution("ram");
    private static final SparseMemory RAM = new SparseMemory(LIVE, 2);

    final Execution execution;
    final SparseMemory memory = RAM;
    final Tracer tracer;
    final List<TraceEvent> events = Collections.synchronizedList(new ArrayList<>());
    final PcieRoot root;
    final Card.Type cards = new Card.Type();
    private final @Nullable IommuUnit iommu;
    private final long freePages = RAM.pages().freePages();
    private final List<Long> pages = new ArrayList<>();
    private boolean closed;

    Rig(Execution execution, List<PortConfig> ports, boolean iommu) {
        this(execution, ports, iommu, false);
    }

    /**
     * @param queued posted writes are queued, although the execution is live
     */
    Rig(Execution execution, List<PortConfig> ports, boolean iommu, boolean queued) {
        this(execution, HostBridgeConfig.DEFAULT, ports, iommu, queued, false);
    }

    Rig(
            Execution execution,
            HostBridgeConfig host,
            List<PortConfig> ports,
            boolean iommu,
            boolean queued,
            boolean rebalance) {
        this.execution = execution;
        tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        root =
                new PcieRoot(
                        execution, tracer, memory, List.of(host), ports, iommu, queued, rebalance);
        if (iommu) {
            this.iommu = new IommuUnit(execution, tracer, memory, root, STRICT);
            root.translation(this.iommu);
        } else {
            this.iommu = null;
        }
        root.addType(cards, "card", TypeVersion.of(1, 0, 0));
    }

    /** Listens to every event from now on. */
    void trace() {
        tracer.attach(
                new TraceSink() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> type) {
                        return true;
                    }

                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        events.add(event);
                    }
                });
    }

    <E extends TraceEvent> List<E> events(Class<E> of) {
        synchronized (events) {
            return events.stream().filter(of::isInstance).map(of::cast).toList();
        }
    }

    boolean hasIommu() {
        return iommu != null;
    }

    IommuUnit iommu() {
        return Objects.requireNonNull(iommu);
    }

    /** Puts a card below a port, or at an address of the root complex. */
    Card plug(String name, String where) {
        root.addSlot(
                where.contains(":")
                        ? new SlotConfig(name, "card", where, Map.of())
                        : SlotConfig.below(where, name, "card", Map.of()));
        settle();
        function(name).enable(true, true);
        return cards.made.getLast();
    }

    void settle() {
        try {
            if (!root.settle(100 * SECOND)) {
                throw new AssertionError("the bus does not settle");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    PcieFunction function(String name) {
        return root.functions().stream()
                .filter(f -> f.slot().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no function " + name));
    }

    /** {@return a page of RAM, filled} */
    long page(int value) {
        long page = memory.pages().allocate(0);
        pages.add(page);
        fill(page, value);
        return page;
    }

    void fill(long page, int value) {
        byte[] bytes = new byte[4096];
        Arrays.fill(bytes, (byte) value);
        memory.write(page, MemorySegment.ofArray(bytes), 0, 4096);
    }

    byte[] bytes(long page) {
        byte[] bytes = new byte[4096];
        memory.read(page, MemorySegment.ofArray(bytes), 0, 4096);
        return bytes;
    }

    byte at(long physical) {
        byte[] one = new byte[1];
        memory.read(physical, MemorySegment.ofArray(one), 0, 1);
        return one[0];
    }

    /** Fails if a byte of a page is not this one. */
    void expect(long page, int value, String why) {
        byte[] bytes = bytes(page);
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != (byte) value) {
                throw new AssertionError(
                        "%s: byte 0x%x of the page is 0x%02x".formatted(why, i, bytes[i] & 0xFF));
            }
        }
    }

    EmulatedThread thread(String name, Runnable body) {
        return execution.start(ThreadKind.BLOCKING, name, body);
    }

    static void join(EmulatedThread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        thread.failure()
                .ifPresent(failure -> {
                    throw new AssertionError(thread.name() + " failed", failure);
                });
    }

    /** Takes every card out in order; memory can be looked at afterwards. */
    void empty() {
        if (!closed) {
            closed = true;
            root.close();
            if (iommu != null) {
                root.translationGone(iommu);
                iommu.close();
            }
        }
    }

    @Override
    public void close() {
        empty();
        if (execution instanceof LiveExecution live) {
            nothingIsLeftOf(live);
        }
        pages.forEach(page -> RAM.pages().free(page, 0));
        if (RAM.pages().freePages() != freePages) {
            throw new AssertionError(
                    "%d pages of RAM are still taken"
                            .formatted(freePages - RAM.pages().freePages()));
        }
    }

    private static void nothingIsLeftOf(LiveExecution live) {
        try {
            List<Work> left = live.awaitEnd(SECOND);
            if (!left.isEmpty()) {
                throw new AssertionError("left behind: " + left);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
