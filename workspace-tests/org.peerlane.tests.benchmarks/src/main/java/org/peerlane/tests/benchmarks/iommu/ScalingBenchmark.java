package org.peerlane.tests.benchmarks.iommu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.infra.ThreadParams;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.tests.benchmarks.machine.Board;

/**
 * Two devices, each with an engine of its own, beside one of them alone: each write should take as
 * long as if there were no other. The bare copies say what the host itself is capable of.
 */
public class ScalingBenchmark {
    private static final int RW = IommuDomain.READ | IommuDomain.WRITE;
    private static final long IOVA = 1L << 41;
    private static final long LEAF = 1L << 21;

    /** Makes the state. */
    public ScalingBenchmark() {}

    /** Three devices, two of them with work to do. */
    @State(Scope.Benchmark)
    public static class Machine {
        /** In how many domains the two are. */
        @Param({"1", "2"})
        int domains;

        /** What one write moves. */
        @Param({"64", "4096"})
        int bytes;

        private final Board board =
                Board.translated(
                                IommuSettings.of(
                                        TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT))
                        .device()
                        .device()
                        .device();

        private final long[] blocks = {board.block(), board.block()};

        /** Makes the state. */
        public Machine() {}

        /** Builds the machine. */
        @Setup
        public void plug() throws InterruptedException {
            board.plug();
            IommuDomain first = domain();
            board.attach(0, first);
            board.attach(1, domains == 1 ? first : domain());
            board.attach(2, domain());
            board.warm(IOVA);
        }

        private IommuDomain domain() {
            IommuDomain domain =
                    board.iommu().newDomain(DomainSpec.of(TableFormat.VTD_SECOND_STAGE));
            domain.map(IOVA, blocks[0], LEAF, RW);
            domain.map(IOVA + LEAF, blocks[1], LEAF, RW);
            return domain;
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            board.close();
        }
    }

    /** One engine. */
    @State(Scope.Thread)
    public static class Engine {
        private final MemorySegment local = Arena.ofAuto().allocate(4096, 4096);
        private DmaPort port;
        private long iova;
        private int bytes;

        /** Makes the state. */
        public Engine() {}

        /** Takes the device of its number. */
        @Setup
        public void take(Machine machine, ThreadParams threads) {
            int index = threads.getThreadIndex();
            port = machine.board.port(index);
            iova = IOVA + index * LEAF;
            bytes = machine.bytes;
        }

        private long write() {
            return port.write(iova, 0, local, 0, bytes);
        }
    }

    /** A thread without a machine. */
    @State(Scope.Thread)
    public static class Alone {
        /** What one copy moves. */
        @Param({"64", "4096"})
        int bytes;

        private final MemorySegment from = Arena.ofAuto().allocate(4096, 4096);
        private final MemorySegment to = Arena.ofAuto().allocate(4096, 4096);

        /** Makes the state. */
        public Alone() {}

        private void copy() {
            MemorySegment.copy(from, 0, to, 0, bytes);
        }
    }

    /** One thread copies. */
    @Benchmark
    public void copy(Alone alone) {
        alone.copy();
    }

    /** Two threads copy. */
    @Benchmark
    @Threads(2)
    @Budget(name = "scale.bare", against = "copy")
    public void copyBoth(Alone alone) {
        alone.copy();
    }

    /** One engine writes. */
    @Benchmark
    public long write(Engine engine) {
        return engine.write();
    }

    /** Two engines write: domains, bytes. */
    @Benchmark
    @Threads(2)
    @Budget(name = "scale.dma", against = "write", atMostRatio = 1.25, maxBytesPerOp = 0)
    public long writeBoth(Engine engine) {
        return engine.write();
    }
}
