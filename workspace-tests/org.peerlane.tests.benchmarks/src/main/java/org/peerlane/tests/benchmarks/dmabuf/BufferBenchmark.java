package org.peerlane.tests.benchmarks.dmabuf;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.trace.api.Tracer;

/** What the core itself costs: exporter and importer do nothing. */
public class BufferBenchmark {
    private static final long BYTES = 4 * 4096;

    /** Makes the state. */
    public BufferBenchmark() {}

    /** A machine with one buffer. */
    @State(Scope.Thread)
    public static class Machine implements DmaBufOperations {
        final LiveExecution execution = new LiveExecution("benchmark");
        final OwnerDmaBufs owner;
        final ImporterDevice device = new ImporterDevice("nvme0", null, null);
        final AttachOperations operations = new AttachOperations(true, _ -> {});
        final DmaBuf buffer;

        /** Makes the state. */
        @SuppressWarnings("this-escape")
        public Machine() {
            Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
            owner =
                    new OwnerDmaBufs(
                            "benchmark",
                            new DmaBufCore(execution, tracer, Profile.DEFAULT, null, true));
            buffer = export();
        }

        final DmaBuf export() {
            return owner.export(new ExportInfo("system", this, BYTES, this));
        }

        @Override
        public SgTable map(Attachment attachment, DmaDirection direction) {
            return new SgTable(
                    new long[] {0x1000, 0x3000, 0x5000, 0x7000},
                    new long[] {0x1000, 0x1000, 0x1000, 0x1000},
                    this);
        }

        @Override
        public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {}

        @Override
        public void release(DmaBuf ended) {}

        /** Ends the machine. */
        @TearDown
        public void close() {
            execution.close();
        }
    }

    /** A machine with other buffers. */
    @State(Scope.Thread)
    public static class Crowd {
        /** How many others are alive. */
        @Param({"0", "100000"})
        int live;

        private final List<DmaBuf> others = new ArrayList<>();

        /** Makes the state. */
        public Crowd() {}

        /** Makes the others. */
        @Setup
        public void make(Machine machine) {
            for (int i = 0; i < live; i++) {
                others.add(machine.export());
            }
        }
    }

    /** A machine whose buffer has attachments, with a mapping each. */
    public static class Attached extends Machine {
        /** How many. */
        @Param({"1", "10", "1000"})
        int attachments;

        /** Makes the state. */
        public Attached() {}

        /** Makes them. */
        @Setup
        public void attach() {
            for (int i = 0; i < attachments; i++) {
                owner.dynamicAttach(buffer, device, operations, null)
                        .mapUnlocked(DmaDirection.TO_DEVICE);
            }
        }
    }

    /** A buffer with mappings, which the importer takes back when it is told. */
    @State(Scope.Thread)
    public static class Mapped {
        /** How many. */
        @Param({"1", "10", "1000"})
        int mappings;

        private final List<DmaBufMapping> made = new ArrayList<>();

        /** Makes the state. */
        public Mapped() {}

        /** Attaches. */
        @Setup
        public void attach(Machine machine) {
            attachment =
                    machine.owner.dynamicAttach(
                            machine.buffer,
                            machine.device,
                            new AttachOperations(true, this::told),
                            null);
        }

        private Attachment attachment;

        private void told(Attachment of) {
            for (DmaBufMapping mapping : made) {
                of.unmap(mapping, DmaDirection.TO_DEVICE);
            }
            made.clear();
        }

        /** Maps. */
        @Setup(Level.Invocation)
        public void map() {
            for (int i = 0; i < mappings; i++) {
                made.add(attachment.mapUnlocked(DmaDirection.TO_DEVICE));
            }
        }

        /** Gives access back. */
        @TearDown(Level.Invocation)
        public void allow(Machine machine) {
            machine.owner.unrevoke(machine.buffer);
        }
    }

    /** For comparison: the memory of a process ends for all its threads. */
    @Benchmark
    public Object arenaClose() {
        Arena arena = Arena.ofShared();
        arena.allocate(BYTES);
        arena.close();
        return arena;
    }

    /** A device comes, maps a buffer that is there, and goes. */
    @Benchmark
    @Budget(name = "dmabuf.attach-map-unmap-detach", atMostNanos = 2_000)
    public void attachMapUnmapDetach(Machine machine) {
        Attachment attachment =
                machine.owner.dynamicAttach(
                        machine.buffer, machine.device, machine.operations, null);
        DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.TO_DEVICE);
        attachment.unmapUnlocked(mapping, DmaDirection.TO_DEVICE);
        machine.owner.detach(machine.buffer, attachment);
    }

    /** A buffer comes and goes, among others. */
    @Benchmark
    @Budget(name = "dmabuf.export-put", atMostNanos = 1_500)
    public void exportPut(Machine machine, Crowd crowd) {
        machine.owner.put(machine.export());
    }

    /** All importers are told. */
    @Benchmark
    @Budget(name = "dmabuf.invalidate")
    public void invalidate(Attached machine) {
        machine.buffer.reservation().lock(null);
        try {
            machine.owner.invalidateMappings(machine.buffer);
        } finally {
            machine.buffer.reservation().unlock();
        }
    }

    /** Access ends, with mappings that nothing uses. */
    @Benchmark
    @Budget(name = "dmabuf.revoke", against = "arenaClose")
    public void revoke(Machine machine, Mapped mapped) {
        machine.owner.revoke(machine.buffer, false);
    }
}
