package org.peerlane.tests.benchmarks.dmabuf;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.exporter.vfio.VfioPci;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.tests.benchmarks.machine.Board;
import org.peerlane.trace.api.Tracer;
import org.peerlane.vfio.api.VfioFile;

/**
 * A process loads a word from a BAR that VFIO has mapped into it: from memory behind the BAR, from
 * registers, which are asked over the bus, and from RAM.
 */
public class BarBenchmark {
    private static final int PAGE = 4096;
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;

    /** Makes the state. */
    public BarBenchmark() {}

    /** A machine with a card, which a process has opened and mapped. */
    @State(Scope.Thread)
    public static class Machine {
        private final LiveExecution execution = new LiveExecution("benchmark");
        private final SparseMemory memory = new SparseMemory(execution, 16);
        private final ProcessSpaces spaces = new ProcessSpaces(execution, memory);
        private final AddressSpace process = spaces.create("benchmark");
        private final Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        private Board board;
        private VfioFile file;
        private long registers;
        private long vram;
        private long ram;

        /** Makes the state. */
        public Machine() {}

        /** Opens the card. */
        @Setup
        public void open() throws InterruptedException {
            board = Board.untranslated().device().device().device().plug();
            board.warm(board.block());
            DmaBufCore core = new DmaBufCore(execution, tracer, Profile.DEFAULT, spaces, true);
            VfioPci vfio =
                    new VfioPci(
                            execution,
                            board.bus(),
                            new OwnerDmaBufs("vfio", core),
                            spaces,
                            Profile.DEFAULT);
            vfio.probe(board.function(0));
            file = vfio.device(board.function(0)).open();
            registers = map(0);
            vram = map(2);
            ram =
                    process.map(
                                    0,
                                    PAGE,
                                    RW,
                                    AddressSpace.MAP_PRIVATE | AddressSpace.MAP_ANONYMOUS,
                                    null,
                                    0)
                            .first();
            process.store(ram, 8, 1);
        }

        private long map(int bar) {
            long at =
                    file.mmap(process, 0, PAGE, RW, AddressSpace.MAP_SHARED, VfioFile.offset(bar))
                            .first();
            process.store(at, 8, 1);
            return at;
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            process.close();
            file.put();
            board.close();
            spaces.close();
            memory.close();
            execution.close();
        }
    }

    /** Over the bus, into a device. */
    @Benchmark
    @Budget(name = "vfio.load-register-bar")
    public long fromRegisters(Machine machine) {
        return machine.process.load(machine.registers, 8);
    }

    /** What memory costs. */
    @Benchmark
    public long fromRam(Machine machine) {
        return machine.process.load(machine.ram, 8);
    }

    /** Straight from what is behind the BAR. */
    @Benchmark
    @Budget(name = "vfio.load-memory-bar", against = "fromRam", atMostRatio = 1.5)
    public long fromMemory(Machine machine) {
        return machine.process.load(machine.vram, 8);
    }
}
