package org.peerlane.device.gpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.trace.api.Tracer;

/** A machine of the real parts, with a switch of two slots for GPUs and no IOMMU. */
final class Machine implements AutoCloseable {
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long SECOND = 1_000_000_000L;
    private static final int EXPRESS_ID = 0x10;
    private static final int FLR = 1 << 15;

    /** One for all schedules: making its file costs more than a schedule. */
    private static final SparseMemory RAM = new SparseMemory(new LiveExecution("ram"), 2);

    private final List<Long> pages = new ArrayList<>();
    final PcieRoot root;

    Machine(Execution execution) {
        root =
                new PcieRoot(
                        execution,
                        new Tracer(execution::nanoTime, execution.lock("trace")),
                        RAM,
                        List.of(HostBridgeConfig.DEFAULT),
                        List.of(
                                new PortConfig("rp0", "00:01.0", 0, true, true),
                                new PortConfig("sw0", "rp0", 2, true, true)),
                        false,
                        false);
        root.addType(new GpuDeviceType(), "gpu", TypeVersion.of(1, 0, 0));
    }

    /** Puts a card below the switch, with decode and bus mastering on. */
    PcieFunction plug(String name, String port, Map<String, Object> options) {
        root.addSlot(SlotConfig.below(port, name, "gpu", options));
        settle();
        PcieFunction function =
                root.functions().stream()
                        .filter(f -> f.slot().equals(name))
                        .findFirst()
                        .orElseThrow();
        function.enable(true, true);
        return function;
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

    /** {@return a page of RAM, all zeros} */
    long page() {
        long page = RAM.pages().allocate(0);
        pages.add(page);
        for (int i = 0; i < 4096; i += 8) {
            word(page + i, 0);
        }
        return page;
    }

    long word(long physical) {
        byte[] bytes = new byte[8];
        RAM.read(physical, MemorySegment.ofArray(bytes), 0, 8);
        return MemorySegment.ofArray(bytes).get(LE_LONG.withByteAlignment(1), 0);
    }

    void word(long physical, long value) {
        byte[] bytes = new byte[8];
        MemorySegment.ofArray(bytes).set(LE_LONG.withByteAlignment(1), 0, value);
        RAM.write(physical, MemorySegment.ofArray(bytes), 0, 8);
    }

    /** Describes a ring of a page to a card, and starts it. */
    static void start(PcieFunction gpu, long ring) {
        gpu.write(0, TestGpu.RING_BASE, 8, ring);
        gpu.write(0, TestGpu.RING_SETUP, 4, 12);
        gpu.write(0, TestGpu.CONTROL, 4, TestGpu.RUN);
    }

    /** Puts packets into an empty ring, and rings. */
    void run(PcieFunction gpu, long ring, long[]... packets) {
        long tail = 0;
        for (long[] packet : packets) {
            for (long value : packet) {
                word(ring + tail, value);
                tail += 8;
            }
        }
        gpu.write(0, TestGpu.RING_TAIL, 4, tail);
    }

    /** Resets a function alone, and gives it its BARs back, as system software does. */
    static void reset(PcieFunction function) {
        long[] bars = new long[6];
        for (int i = 0; i < bars.length; i++) {
            bars[i] = function.readConfig(0x10 + 4 * i, 4);
        }
        int at = (int) function.readConfig(0x34, 1);
        while (function.readConfig(at, 1) != EXPRESS_ID) {
            at = (int) function.readConfig(at + 1, 1);
        }
        function.writeConfig(at + 8, 2, function.readConfig(at + 8, 2) | FLR);
        for (int i = 0; i < bars.length; i++) {
            function.writeConfig(0x10 + 4 * i, 4, bars[i]);
        }
    }

    /** Lets peers below the switch reach each other directly. */
    void direct() {
        root.functions().stream()
                .filter(f -> f.slot().startsWith("sw0."))
                .forEach(port -> {
                    int at = 0x100;
                    while ((port.readConfig(at, 4) & 0xFFFF) != 0x0D) {
                        at = (int) (port.readConfig(at, 4) >>> 20);
                    }
                    port.writeConfig(at + 6, 2, 0);
                });
    }

    @Override
    public void close() {
        root.close();
        pages.forEach(page -> RAM.pages().free(page, 0));
    }
}
