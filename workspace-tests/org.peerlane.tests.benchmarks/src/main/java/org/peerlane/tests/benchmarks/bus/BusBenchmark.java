package org.peerlane.tests.benchmarks.bus;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.tests.benchmarks.machine.Board;

/**
 * DMA to RAM without an IOMMU beside {@code MemorySegment.copy} of the same bytes, and register
 * accesses by the CPU.
 */
@State(Scope.Benchmark)
public class BusBenchmark {
    private static final int SMALL = 4096;
    private static final int LARGE = 65_536;

    private final MemorySegment local = Arena.ofAuto().allocate(LARGE, 4096);
    private final Board board = Board.untranslated().device().device().device();
    private final MemorySegment ram = board.ram();
    private final long address = board.block();
    private DmaPort port;
    private PcieFunction function;

    /** Plugs three devices. */
    @Setup
    public void plug() throws InterruptedException {
        board.plug().warm(address);
        port = board.port(0);
        function = board.function(0);
    }

    /** Ends the machine. */
    @TearDown
    public void close() {
        board.close();
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
}
