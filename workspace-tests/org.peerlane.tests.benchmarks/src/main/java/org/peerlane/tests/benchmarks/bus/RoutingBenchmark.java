package org.peerlane.tests.benchmarks.bus;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.tests.benchmarks.machine.Board;

/**
 * What the way through the tree costs: by the ports above a device, and by the functions of the
 * machine. A DMA of 64 bytes, so that the way is most of it.
 */
public class RoutingBenchmark {
    private static final int BYTES = 64;

    /** Makes the state. */
    public RoutingBenchmark() {}

    /** Device 0 and a peer on the same port or switch, so many ports down. */
    @State(Scope.Benchmark)
    public static class Deep {
        /** A root port; with a switch below; with two. */
        @Param({"1", "3", "5"})
        int ports;

        private final MemorySegment local = Arena.ofAuto().allocate(4096, 4096);
        private Board board;
        private DmaPort port;
        private PcieFunction function;
        private long ram;
        private long peer;

        /** Makes the state. */
        public Deep() {}

        /** Builds the machine. */
        @Setup
        public void plug() throws InterruptedException {
            PortConfig root = new PortConfig("rp0", "00:01.0", 0, false, false);
            PortConfig other = new PortConfig("rp1", "00:02.0", 0, false, false);
            PortConfig upper = new PortConfig("sw0", "rp0", 3, false, false);
            PortConfig lower = new PortConfig("sw1", "sw0.0", 3, false, false);
            switch (ports) {
                case 1 -> {
                    board = Board.untranslated(root, other);
                    board.device("rp0", 0).device("rp1", 0).device("rp1", 1);
                }
                case 3 -> {
                    board = Board.untranslated(root, other, upper);
                    board.device("sw0.0", 0).device("sw0.1", 0).device("sw0.2", 0);
                }
                default -> {
                    board = Board.untranslated(root, other, upper, lower);
                    board.device("sw1.0", 0).device("sw1.1", 0).device("sw1.2", 0);
                }
            }
            board.plug();
            ram = board.block();
            board.warm(ram);
            port = board.port(0);
            function = board.function(0);
            peer = board.vram(1);
            board.warm(board.vram(2));
            local.fill((byte) 7);
            port.write(peer, 0, local, 0, BYTES);
            local.fill((byte) 0);
            port.read(peer, 0, local, 0, BYTES);
            if (local.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0) != 7) {
                throw new IllegalStateException("the peer is not reached");
            }
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            board.close();
        }
    }

    /** One of many functions. */
    @State(Scope.Benchmark)
    public static class Wide {
        private static final int FUNCTIONS = 8;
        private static final int PORTS = 32;

        /** In the whole machine, ports aside. */
        @Param({"1", "100", "1000"})
        int functions;

        private final MemorySegment local = Arena.ofAuto().allocate(4096, 4096);
        Board board;
        private DmaPort port;
        private PcieFunction function;
        private long ram;

        /** Makes the state. */
        public Wide() {}

        /** Builds the machine: switches of 32 ports with a device of 8 functions at each. */
        @Setup
        public void plug() throws InterruptedException {
            List<PortConfig> ports = new ArrayList<>();
            int perSwitch = FUNCTIONS * PORTS;
            for (int i = 0; i * perSwitch < functions; i++) {
                ports.add(new PortConfig("rp" + i, "00:%02x.0".formatted(i + 1), 0, false, false));
                ports.add(new PortConfig("sw" + i, "rp" + i, PORTS, false, false));
            }
            board = Board.untranslated(ports.toArray(PortConfig[]::new));
            for (int i = 0; i < functions; i++) {
                int at = i % perSwitch;
                board.device("sw%d.%d".formatted(i / perSwitch, at / FUNCTIONS), at % FUNCTIONS);
            }
            board.plug();
            ram = board.block();
            board.warm(ram);
            port = board.port(functions - 1);
            function = board.function(functions - 1);
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            board.close();
        }
    }

    /** The yardstick. */
    @Benchmark
    public void bareCopy(Deep deep) {
        MemorySegment.copy(deep.local, 0, deep.board.ram(), deep.ram, BYTES);
    }

    /** A device writes to RAM. */
    @Benchmark
    @Budget(name = "route.ram", against = "bareCopy", atMostExtraNanos = 25, maxBytesPerOp = 0)
    public long toRam(Deep deep) {
        return deep.port.write(deep.ram, 0, deep.local, 0, BYTES);
    }

    /** A device writes to the memory of another one. */
    @Benchmark
    @Budget(name = "route.peer", against = "bareCopy", atMostExtraNanos = 25, maxBytesPerOp = 0)
    public long toPeer(Deep deep) {
        return deep.port.write(deep.peer, 0, deep.local, 0, BYTES);
    }

    /** The CPU reads a register. */
    @Benchmark
    @Budget(name = "route.mmio.read", atMostNanos = 50, maxBytesPerOp = 0)
    public long registerRead(Deep deep) {
        return deep.function.read(0, 8, 4);
    }

    /** The CPU writes a register. */
    @Benchmark
    @Budget(name = "route.mmio.write", atMostNanos = 50, maxBytesPerOp = 0)
    public void registerWrite(Deep deep) {
        deep.function.write(0, 8, 4, 42);
    }

    /** A device of many writes to RAM. */
    @Benchmark
    @Budget(name = "route.functions", atMostNanos = 30, maxBytesPerOp = 0)
    public long oneOfMany(Wide wide) {
        return wide.port.write(wide.ram, 0, wide.local, 0, BYTES);
    }

    /** The same after the tree has changed: the way is decided anew. */
    @Benchmark
    @Budget(name = "route.functions.anew")
    public long oneOfManyAnew(Wide wide) {
        wide.function.enable(false, true);
        wide.function.enable(true, true);
        return wide.port.write(wide.ram, 0, wide.local, 0, BYTES);
    }
}
