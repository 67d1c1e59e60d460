package org.peerlane.tests.benchmarks.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.device.gpu.GpuDeviceType;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.exporter.gpu.GpuDriver;
import org.peerlane.exporter.gpu.GpuSettings;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.iommu.core.IommuUnit;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.trace.api.Tracer;

/** Two cards below one switch, behind an IOMMU, with their driver. */
public class GpuBenchmark {
    private static final long MIB = 1 << 20;
    private static final long LARGE = 16 * MIB;
    private static final long PIECE = 64 << 10;
    private static final long SETTLE_NANOS = 60_000_000_000L;

    /** Makes the state. */
    public GpuBenchmark() {}

    /** The machine. */
    @State(Scope.Thread)
    public static class Machine {
        private static final long VRAM_MIB = 64;

        private final LiveExecution execution = new LiveExecution("benchmark");
        private final SparseMemory memory = new SparseMemory(execution, 256);
        private final Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        private final PcieRoot root =
                new PcieRoot(
                        execution,
                        tracer,
                        memory,
                        List.of(HostBridgeConfig.DEFAULT),
                        List.of(
                                new PortConfig("rp0", "00:01.0", 0, true, true, 0),
                                new PortConfig("sw0", "rp0", 2, true, true, 0)),
                        true,
                        false);
        private final IommuUnit iommu =
                new IommuUnit(
                        execution,
                        tracer,
                        memory,
                        root,
                        IommuSettings.of(TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT));
        private final ProcessSpaces spaces = new ProcessSpaces(execution, memory);
        private final DmaBufCore core;
        private final GpuDriver driver;
        private final OwnerDmaBufs importer;
        final GpuBuffer from;
        final GpuBuffer to;
        final DmaBuf shared;
        final GpuBuffer taken;
        final GpuBuffer mine;
        final GpuBuffer moved;
        final ImporterDevice device;
        final DmaBuf movedShared;

        /** Makes the state. */
        public Machine() {
            root.translation(iommu);
            core = new DmaBufCore(execution, tracer, Profile.DEFAULT, spaces, false);
            core.setBus(root);
            core.setIommu(iommu);
            root.addListener(core.listener());
            root.addType(new GpuDeviceType(), "gpu", TypeVersion.of(1, 0, 0));
            driver =
                    new GpuDriver(
                            execution,
                            root,
                            iommu,
                            new OwnerDmaBufs("gpu", core),
                            memory,
                            spaces,
                            tracer,
                            GpuSettings.DEFAULT);
            importer = new OwnerDmaBufs("importer", core);
            root.addDriver(driver, "gpu");
            for (int i = 0; i < 2; i++) {
                root.addSlot(
                        SlotConfig.below(
                                "sw0." + i, "gpu" + i, "gpu", Map.of("vramMiB", VRAM_MIB)));
            }
            settle();
            Gpu gpu = driver.gpu("gpu0");
            Gpu other = driver.gpu("gpu1");
            from = gpu.allocate(GpuAllocation.of(LARGE));
            to = gpu.allocate(GpuAllocation.of(LARGE));
            shared = from.export(ExportInfo.O_RDWR);
            taken = other.importBuffer(shared);
            mine = other.allocate(GpuAllocation.of(LARGE));
            moved = gpu.allocate(GpuAllocation.of(MIB));
            movedShared = moved.export(ExportInfo.O_RDWR);
            device = ImporterDevice.of(other.function(), iommu.device(other.function().address()));
        }

        private void settle() {
            try {
                if (!root.settle(SETTLE_NANOS)) {
                    throw new IllegalStateException("the bus does not settle");
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        /** {@return a card} */
        final Gpu gpu(String name) {
            return driver.gpu(name);
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            driver.close();
            root.close();
            importer.close();
            core.close();
            root.translationGone(iommu);
            iommu.close();
            spaces.close();
            memory.close();
            execution.close();
        }
    }

    /** A card whose VRAM is full: each new buffer has an older one leave. */
    @State(Scope.Thread)
    public static class Full extends Machine {
        private final Deque<GpuBuffer> live = new ArrayDeque<>();

        /** Makes the state. */
        public Full() {
            for (int i = 0; i < 32; i++) {
                add();
            }
        }

        final GpuBuffer add() {
            GpuBuffer made = gpu("gpu0").allocate(GpuAllocation.of(MIB));
            live.add(made);
            return made;
        }
    }

    /** Memory of the host's, to compare with. */
    @State(Scope.Thread)
    public static class Bare {
        final MemorySegment from = Arena.ofAuto().allocate(LARGE, 4096).fill((byte) 1);
        final MemorySegment to = Arena.ofAuto().allocate(LARGE, 4096).fill((byte) 2);

        /** Makes the state. */
        public Bare() {}
    }

    private static void await(Fence fence) {
        fence.waitTimeout(false, Reservation.NO_LIMIT);
        fence.put();
    }

    /** 16 MiB by the host, in pieces as the engine's, which gives way between them. */
    @Benchmark
    public void bareCopy(Bare bare) {
        for (long at = 0; at < LARGE; at += PIECE) {
            MemorySegment.copy(bare.from, at, bare.to, at, PIECE);
        }
    }

    /** 16 MiB by the host in one go. */
    @Benchmark
    @Budget(name = "gpu.bare-copy-16m-whole")
    public void bareCopyWhole(Bare bare) {
        MemorySegment.copy(bare.from, 0, bare.to, 0, LARGE);
    }

    /** 16 MiB inside of the card, from the call until its fence. */
    @Benchmark
    @Budget(name = "gpu.copy-16m", against = "bareCopy", atMostRatio = 1.25)
    public void copy(Machine machine) {
        await(machine.from.copyTo(0, machine.to, 0, LARGE));
    }

    /** 16 MiB out of another card's VRAM, by the bus. */
    @Benchmark
    @Budget(name = "gpu.peer-copy-16m", against = "bareCopy", atMostRatio = 1.5)
    public void peerCopy(Machine machine) {
        await(machine.taken.copyTo(0, machine.mine, 0, LARGE));
    }

    /** 4 KiB inside of the card: what a job costs. */
    @Benchmark
    @Budget(name = "gpu.job")
    public void job(Machine machine) {
        await(machine.from.copyTo(0, machine.to, 0, 4096));
    }

    /** 1 MiB from the VRAM to RAM and back, from the calls until the last copy has ended. */
    @Benchmark
    @Budget(name = "gpu.move-1m-and-back")
    public void move(Machine machine) {
        machine.moved.move(Placement.GTT);
        machine.moved.move(Placement.VRAM);
        machine.moved.reservation().waitTimeout(FenceUsage.KERNEL, false, Reservation.NO_LIMIT);
    }

    /** A peer attaches to a buffer in VRAM, maps it, and takes both back. */
    @Benchmark
    @Budget(name = "gpu.attach-map")
    public long attachAndMap(Machine machine) {
        Attachment attachment =
                machine.importer.dynamicAttach(
                        machine.movedShared,
                        machine.device,
                        new AttachOperations(true, _ -> {}),
                        null);
        DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
        long address = mapping.table().address(0);
        attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
        machine.importer.detach(machine.movedShared, attachment);
        return address;
    }

    /** A buffer of 1 MiB for which another has to leave the VRAM, until it can be used. */
    @Benchmark
    @Budget(name = "gpu.evict-1m")
    public void evict(Full full) {
        GpuBuffer oldest = full.live.removeFirst();
        oldest.close();
        GpuBuffer made = full.add();
        made.reservation().waitTimeout(FenceUsage.KERNEL, false, Reservation.NO_LIMIT);
    }
}
