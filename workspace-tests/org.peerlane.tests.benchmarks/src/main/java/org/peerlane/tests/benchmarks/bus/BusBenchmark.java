package org.peerlane.tests.benchmarks.bus;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.trace.api.Tracer;

/**
 * DMA to RAM without an IOMMU beside {@code MemorySegment.copy} of the same bytes, and register
 * accesses by the CPU. Three types of device are in use, so that calls of models are megamorphic.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
public class BusBenchmark {
    private static final int DEVICES = 3;

    private static final int SMALL = 4096;
    private static final int LARGE = 65_536;
    private static final int LARGE_ORDER = 4;

    private final LiveExecution execution = new LiveExecution("bench");
    private final SparseMemory memory = new SparseMemory(execution, 64);
    private final long address = memory.pages().allocate(LARGE_ORDER);
    private final MemorySegment ram = memory.regions().getFirst().segment();
    private final PcieFunction[] functions = new PcieFunction[DEVICES];
    private final DeviceSlot[] slots = new DeviceSlot[DEVICES];
    private final MemorySegment local = Arena.ofAuto().allocate(1 << 20, 4096);
    private PcieRoot root;
    private DmaPort port;
    private PcieFunction function;

    /** Plugs three devices. */
    @Setup
    public void plug() throws InterruptedException {
        Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        root = new PcieRoot(execution, tracer, memory, false);
        root.addType(s -> keep(0, s, new First()), "d0", TypeVersion.of(1, 0, 0));
        root.addType(s -> keep(1, s, new Second()), "d1", TypeVersion.of(1, 0, 0));
        root.addType(s -> keep(2, s, new Third()), "d2", TypeVersion.of(1, 0, 0));
        for (int i = 0; i < DEVICES; i++) {
            root.addSlot(new SlotConfig("s" + i, "d" + i, "00:0" + (i + 1) + ".0", Map.of()));
        }
        root.settle(10_000_000_000L);
        for (int i = 0; i < DEVICES; i++) {
            functions[i] = root.functions().get(i);
            functions[i].enable(true, true);
        }
        for (int i = 0; i < 100_000; i++) {
            PcieFunction any = functions[i % DEVICES];
            any.write(0, 8, 4, any.read(0, 8, 4) + 1);
            slots[i % DEVICES].dma().write(address, 0, local, 0, 64);
        }
        port = slots[0].dma();
        function = functions[0];
    }

    private DeviceModel keep(int index, DeviceSlot slot, DeviceModel model) {
        slots[index] = slot;
        return model;
    }

    /** Ends the bus. */
    @TearDown
    public void close() {
        root.close();
        memory.close();
        execution.close();
    }

    /** The yardstick: the bytes of a page. */
    @Benchmark
    public void bareCopy4K() {
        MemorySegment.copy(local, 0, ram, address, SMALL);
    }

    /** The yardstick: the bytes of sixteen pages. */
    @Benchmark
    public void bareCopy64K() {
        MemorySegment.copy(local, 0, ram, address, LARGE);
    }

    /** A device writes a page to RAM. */
    @Benchmark
    @Budget(name = "dma.write.4K", against = "bareCopy4K", atMostRatio = 1.25, maxBytesPerOp = 0)
    public long dmaWrite4K() {
        return port.write(address, 0, local, 0, SMALL);
    }

    /** A device reads a page from RAM. */
    @Benchmark
    @Budget(name = "dma.read.4K", against = "bareCopy4K", atMostRatio = 1.25, maxBytesPerOp = 0)
    public long dmaRead4K() {
        return port.read(address, 0, local, 0, SMALL);
    }

    /** A device writes sixteen pages to RAM. */
    @Benchmark
    @Budget(name = "dma.write.64K", against = "bareCopy64K", atMostRatio = 1.05, maxBytesPerOp = 0)
    public long dmaWrite64K() {
        return port.write(address, 0, local, 0, LARGE);
    }

    /** A device reads sixteen pages from RAM. */
    @Benchmark
    @Budget(name = "dma.read.64K", against = "bareCopy64K", atMostRatio = 1.05, maxBytesPerOp = 0)
    public long dmaRead64K() {
        return port.read(address, 0, local, 0, LARGE);
    }

    /** The CPU reads a register. */
    @Benchmark
    @Budget(name = "mmio.read", atMostNanos = 50, maxBytesPerOp = 0)
    public long registerRead() {
        return function.read(0, 8, 4);
    }

    /** The CPU writes a register. */
    @Benchmark
    @Budget(name = "mmio.write", atMostNanos = 50, maxBytesPerOp = 0)
    public void registerWrite() {
        function.write(0, 8, 4, 42);
    }

    private static class First implements DeviceModel {
        private volatile long register;

        @Override
        public FunctionLayout layout() {
            return new FunctionLayout(
                    0x1234,
                    1,
                    0,
                    0xFF0000,
                    0,
                    0,
                    List.of(BarLayout.registers(0, 4096, false, false)),
                    1);
        }

        @Override
        public long read(int bar, long offset, int bytes) {
            return register;
        }

        @Override
        public void write(int bar, long offset, int bytes, long value) {
            register = value;
        }

        @Override
        public void reset(ResetKind kind) {
            register = 0;
        }

        @Override
        public void close() {}
    }

    private static final class Second extends First {
        @Override
        public long read(int bar, long offset, int bytes) {
            return offset;
        }
    }

    private static final class Third extends First {
        @Override
        public long read(int bar, long offset, int bytes) {
            return bytes;
        }
    }
}
