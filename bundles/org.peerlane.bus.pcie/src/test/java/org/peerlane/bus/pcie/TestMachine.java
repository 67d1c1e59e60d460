package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.WatchedExecution;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/**
 * A root complex with RAM and no device yet. BARs of the standard device: 0 registers of 4 KiB, 2
 * memory of 64 KiB, 64-bit prefetchable; 4 MSI vectors.
 */
final class TestMachine implements AutoCloseable {
    static final long SECOND = 1_000_000_000L;
    static final int VENDOR = 0x1234;

    final WatchedExecution execution = new WatchedExecution(new LiveExecution("test"));
    final TestMemory memory = new TestMemory();
    final Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
    final List<TraceEvent> events = Collections.synchronizedList(new ArrayList<>());
    final MemorySegment vram = Arena.ofAuto().allocate(0x1_0000, 4096);
    final TestDevice.Type type = new TestDevice.Type(layout(vram));
    final PcieRoot root;

    TestMachine() {
        this(false);
    }

    TestMachine(boolean iommuDeclared) {
        this(List.of(HostBridgeConfig.DEFAULT), List.of(), iommuDeclared);
    }

    /** A machine with ports. */
    TestMachine(List<HostBridgeConfig> hosts, List<PortConfig> ports, boolean iommuDeclared) {
        this(hosts, ports, iommuDeclared, false);
    }

    TestMachine(
            List<HostBridgeConfig> hosts,
            List<PortConfig> ports,
            boolean iommuDeclared,
            boolean queued) {
        root = new PcieRoot(execution, tracer, memory, hosts, ports, iommuDeclared, queued);
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

    static FunctionLayout layout(@Nullable MemorySegment vram) {
        return FunctionLayout.of(VENDOR, 0x11E8, 0x00FF00)
                .revision(0x10)
                .subsystem(0x1AF4, 0x1100)
                .bar(BarLayout.registers(0, 4096, false, false))
                .bar(new BarLayout(2, 0x1_0000, true, true, vram))
                .with(new CapabilityLayout.PowerManagement(false, false, false, 0))
                .with(new CapabilityLayout.Msi(4, true, true))
                .with(CapabilityLayout.Express.plain())
                .with(new CapabilityLayout.Aer())
                .build();
    }

    /** The slot that {@link #plug()} makes. */
    final SlotConfig slot = slot("test0", "00:04.0");

    static SlotConfig slot(String name, String address) {
        return new SlotConfig(name, "test", address, Map.of("size", 7));
    }

    void settle() {
        try {
            assertThat(root.settle(10 * SECOND)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Puts a standard device at 00:04.0, with decode and bus mastering on. */
    PcieFunction plug() {
        return plug(slot);
    }

    PcieFunction plug(String name, String address) {
        return plug(slot(name, address));
    }

    /** Puts a standard device below a port. */
    PcieFunction plugBelow(String port, String name) {
        return plug(SlotConfig.below(port, name, "test", Map.of("size", 7)));
    }

    PcieFunction plug(SlotConfig slot) {
        if (type.made.isEmpty()) {
            root.addType(type, "test", TypeVersion.of(1, 0, 0));
        }
        root.addSlot(slot);
        settle();
        PcieFunction function = function(slot.name());
        function.enable(true, true);
        return function;
    }

    PcieFunction function(String name) {
        return root.functions().stream()
                .filter(f -> f.slot().equals(name))
                .findFirst()
                .orElseThrow();
    }

    TestDevice device() {
        return type.made.getFirst();
    }

    long write(TestDevice device, long address, MemorySegment from) {
        return device.slot.dma().write(address, 0, from, 0, from.byteSize());
    }

    long read(TestDevice device, long address, MemorySegment to) {
        return device.slot.dma().read(address, 0, to, 0, to.byteSize());
    }

    static MemorySegment filled(long bytes, int value) {
        return Arena.ofAuto().allocate(bytes, 4096).fill((byte) value);
    }

    static int status(long result) {
        return DmaResult.status(result);
    }

    <E extends TraceEvent> List<E> events(Class<E> of) {
        synchronized (events) {
            return events.stream().filter(of::isInstance).map(of::cast).toList();
        }
    }

    @Override
    public void close() {
        root.close();
    }
}
