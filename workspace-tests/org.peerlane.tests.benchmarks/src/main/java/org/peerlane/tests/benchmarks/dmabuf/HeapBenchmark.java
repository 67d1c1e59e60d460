package org.peerlane.tests.benchmarks.dmabuf;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.exporter.systemheap.SystemHeap;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.trace.api.Tracer;

/**
 * A buffer of 512 MiB of the system heap is put into a process, in both ways that the kernel had
 * (HP-18). After each, a word of every mebibyte is read through the new mapping.
 */
public class HeapBenchmark {
    private static final long MIB = 1 << 20;
    private static final long BYTES = 512 * MIB;

    /** Makes the state. */
    public HeapBenchmark() {}

    /** A machine with a buffer, and a process. */
    public abstract static class Machine {
        private final LiveExecution execution = new LiveExecution("benchmark");
        private final SparseMemory memory = new SparseMemory(execution, 600);
        private final ProcessSpaces spaces = new ProcessSpaces(execution, memory);
        private final AddressSpace process = spaces.create("benchmark");
        private final DmaBuf buffer;
        private CpuMapping mapping;

        Machine(boolean pageByPage) {
            Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
            DmaBufCore core = new DmaBufCore(execution, tracer, Profile.DEFAULT, spaces, true);
            SystemHeap heap = new SystemHeap(new OwnerDmaBufs("heap", core), memory, pageByPage);
            buffer = heap.allocate(new DmaHeap.Allocation(BYTES, 0, 2, 0));
        }

        /** Marks every mebibyte. */
        @Setup
        public void mark() {
            CpuMapping first = map();
            for (long at = 0; at < BYTES; at += MIB) {
                process.store(first.first() + at, 8, at + 1);
            }
            unmap();
        }

        final CpuMapping map() {
            mapping =
                    buffer.mmap(
                            process,
                            0,
                            BYTES,
                            AddressSpace.PROT_READ | AddressSpace.PROT_WRITE,
                            AddressSpace.MAP_SHARED,
                            0);
            return mapping;
        }

        /** Looks at the marks, and takes the mapping away. */
        @TearDown(Level.Invocation)
        public void check() {
            for (long at = 0; at < BYTES; at += MIB) {
                if (process.load(mapping.first() + at, 8) != at + 1) {
                    throw new AssertionError("another byte at 0x%x".formatted(at));
                }
            }
            unmap();
        }

        private void unmap() {
            process.unmap(mapping.first(), BYTES);
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            process.close();
            spaces.close();
            memory.close();
            execution.close();
        }
    }

    /** As a machine maps now. */
    @State(Scope.Thread)
    public static class Whole extends Machine {
        /** Makes the state. */
        public Whole() {
            super(false);
        }
    }

    /** As a machine mapped before. */
    @State(Scope.Thread)
    public static class Pages extends Machine {
        /** Makes the state. */
        public Pages() {
            super(true);
        }
    }

    /** A call for each page. */
    @Benchmark
    public Object pageByPage(Pages machine) {
        return machine.map();
    }

    /** A call for each chunk of 1 MiB. */
    @Benchmark
    @Budget(
            name = "heap.map-512m",
            against = "pageByPage",
            atLeastTimesFaster = 35,
            atMostNanos = 20_000_000)
    public Object chunkByChunk(Whole machine) {
        return machine.map();
    }
}
