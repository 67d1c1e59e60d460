package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exporter.vfio.VfioPci;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.Vfio;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("A BAR that is passed through, against its memory going away")
class VfioRaceTest {
    private static final int WRITES = 4;
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final byte OURS = 0x5A;
    private static final int ITS = 0xEE;

    /**
     * A card that is bound to VFIO, and another one below the same switch that reaches it directly.
     */
    private static final class Machine implements AutoCloseable {
        final Rig rig;
        final ProcessSpaces spaces;
        final DmaBufCore core;
        final OwnerDmaBufs nvme;
        final OwnerDmaBufs owner;
        final VfioPci vfio;
        final Card card;
        final Card importer;
        final VfioFile file;

        Machine(Execution execution) {
            rig = new Rig(execution, Rig.SWITCH, true);
            rig.cards.offHeap(); // only such memory is what a CPU reaches without the bus
            card = rig.plug("gpu0", "sw0.0");
            importer = rig.plug("nvme0", "sw0.1");
            Registers.acs(rig.function("sw0.0"), 0);
            Registers.acs(rig.function("sw0.1"), 0);
            spaces = new ProcessSpaces(execution, rig.memory);
            core = new DmaBufCore(execution, rig.tracer, Profile.DEFAULT, spaces, true);
            core.setBus(rig.root);
            core.setIommu(rig.iommu());
            rig.root.addListener(core.listener());
            var observer = core.observer();
            if (observer != null) {
                rig.root.observer(observer);
            }
            owner = new OwnerDmaBufs("vfio", core);
            nvme = new OwnerDmaBufs("nvme", core);
            vfio = new VfioPci(execution, rig.root, owner, spaces, Profile.DEFAULT);
            rig.root.addDriver(vfio, Vfio.DRIVER);
            bind("gpu0");
            file = vfio.device(rig.function("gpu0")).open();
        }

        void bind(String name) {
            rig.root.overrideDriver(rig.function(name), Vfio.DRIVER);
            rig.root.bindDriver(rig.function(name));
        }

        void memory(boolean on) {
            MemorySegment command = MemorySegment.ofArray(new byte[2]);
            long at = VfioFile.offset(VfioFile.CONFIG) + 4;
            file.pread(command, at);
            int bits = command.get(ValueLayout.JAVA_BYTE, 0);
            command.set(ValueLayout.JAVA_BYTE, 0, (byte) (on ? bits | 2 : bits & ~2));
            file.pwrite(command, at);
        }

        ImporterDevice device() {
            PcieFunction function = rig.function("nvme0");
            DmaDevice dma = rig.iommu().device(function.address());
            dma.mask(64);
            return ImporterDevice.of(function, dma);
        }

        List<String> broken() {
            return core.violations().stream().map(Violation::rule).toList();
        }

        @Override
        public void close() {
            file.put();
            assertThat(core.buffers()).isEmpty();
            assertThat(broken()).isEmpty();
            vfio.close();
            rig.root.removeDriver(vfio);
            owner.close();
            nvme.close();
            core.close();
            spaces.close();
            rig.close();
        }
    }

    /** A process is told: what it stores does not just get lost. */
    @Explore(schedules = 10_000)
    @Rule("VF-29")
    @Rule("VF-41")
    @Rule("VF-42")
    void onceMemoryIsOffATouchIsABusErrorAndOnceItIsOnItWorks(Execution execution) {
        try (Machine machine = new Machine(execution);
                AddressSpace process = machine.spaces.create("vmm")) {
            CpuMapping mapping =
                    machine.file.mmap(
                            process, 0, 4096, RW, AddressSpace.MAP_SHARED, VfioFile.offset(2));
            boolean[] off = new boolean[1];
            NamedLock lock = execution.lock("test.off");
            EmulatedThread cpu =
                    machine.rig.thread(
                            "cpu",
                            () -> {
                                for (int i = 0; i < WRITES; i++) {
                                    lock.lock();
                                    boolean wasOff = off[0];
                                    lock.unlock();
                                    try {
                                        process.store(mapping.first(), 8, 1);
                                        assertThat(wasOff).as("stored with memory off").isFalse();
                                    } catch (BusError e) {
                                        // it is off, or was a moment ago
                                    }
                                }
                            });
            machine.memory(false);
            lock.lock();
            off[0] = true;
            lock.unlock();
            Rig.join(cpu);
            assertThat(process.entry(mapping.first())).as("left in the page table").isZero();
            machine.memory(true);
            process.store(mapping.first(), 8, 7);
            assertThat(machine.card.vram.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
        }
    }

    /** A driver that does not ask VFIO: what still touches the BAR ends at the bus. */
    @Explore(schedules = 10_000)
    void whoSwitchesABarOffBehindTheBackOfVfioHasTakenItFromProcesses(Execution execution) {
        try (Machine machine = new Machine(execution);
                AddressSpace process = machine.spaces.create("vmm")) {
            CpuMapping mapping =
                    machine.file.mmap(
                            process, 0, 4096, RW, AddressSpace.MAP_SHARED, VfioFile.offset(2));
            EmulatedThread cpu =
                    machine.rig.thread(
                            "cpu",
                            () -> {
                                for (int i = 0; i < WRITES; i++) {
                                    process.store(mapping.first(), 1, ITS);
                                }
                            });
            machine.rig.function("gpu0").enable(false, false);
            machine.card.vram.fill(OURS);
            Rig.join(cpu);
            assertThat(machine.card.vram.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo(OURS);
            assertThat(process.load(mapping.first(), 1)).isEqualTo(0xFF);
            machine.rig.function("gpu0").enable(true, false);
            assertThat(process.load(mapping.first(), 1)).isEqualTo(OURS);
        }
    }

    /** The importer keeps its side: it stops when it is told, and gives its mapping back. */
    @Explore(schedules = 10_000)
    @Rule("RK-3")
    @Rule("VF-50")
    @Rule("VF-73")
    void onceAResetHasBegunNoByteOfAPeerArrives(Execution execution) {
        try (Machine machine = new Machine(execution)) {
            DmaBuf buffer = machine.file.dmaBuf(DmaBufRequest.of(2, 0, 4096));
            NamedLock gate = execution.lock("test.gate");
            boolean[] stopped = new boolean[1];
            Attachment attachment =
                    machine.nvme.dynamicAttach(
                            buffer,
                            machine.device(),
                            new AttachOperations(
                                    true,
                                    _ -> {
                                        gate.lock();
                                        stopped[0] = true;
                                        gate.unlock();
                                        flush(machine);
                                    }),
                            null);
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            long address = mapping.table().address(0);
            EmulatedThread engine =
                    machine.importer.engine(() -> {
                        for (int i = 0; i < WRITES; i++) {
                            gate.lock();
                            try {
                                if (stopped[0]) {
                                    break;
                                }
                                machine.importer.write(address, ITS, 64);
                            } finally {
                                gate.unlock();
                            }
                        }
                        flush(machine);
                        attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
                    });
            Armed quiet =
                    execution
                            .checkpoints()
                            .arm(
                                    "vfio.disable.before-hardware",
                                    () -> machine.card.vram.fill(OURS));
            machine.file.reset();
            quiet.close();
            Rig.join(engine);
            flush(machine);
            assertThat(machine.card.vram.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo(OURS);
            assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
            machine.nvme.detach(buffer, attachment);
            buffer.put();
        }
    }

    private static void flush(Machine machine) {
        long elsewhere = machine.rig.function("gpu0").bar(2).first().value() + 0x8000;
        machine.importer.read(elsewhere, new byte[1]);
    }

    /**
     * Others of the set come and go, and have no virtual config space while nobody has them open.
     */
    @Explore(schedules = 10_000)
    @Rule("VF-55")
    @Rule("VF-56")
    @Rule("RK-17")
    void aHotResetAmongFunctionsThatNobodyHasOpenAgainstAnExport(Execution execution) {
        try (Machine machine = new Machine(execution)) {
            machine.rig.root.addSlot(new SlotConfig("gpu1", "card", "", "sw0.0", 1, Map.of()));
            machine.rig.settle();
            machine.bind("gpu1");
            PcieFunction second = machine.rig.function("gpu1");
            EmulatedThread other =
                    machine.rig.thread(
                            "other",
                            () -> {
                                VfioFile opened = machine.vfio.device(second).open();
                                DmaBuf made = opened.dmaBuf(DmaBufRequest.of(2, 0, 4096));
                                assertThat(made.revokeState()).isEqualTo(RevokeState.OK);
                                opened.put();
                                assertThat(made.revokeState())
                                        .isEqualTo(RevokeState.REVOKED_FOR_GOOD);
                                made.put();
                            });
            DmaBuf buffer = machine.file.dmaBuf(DmaBufRequest.of(2, 0, 4096));
            for (int i = 0; i < 2; i++) {
                try {
                    machine.file.hotReset(List.of(machine.file));
                } catch (ErrnoException e) {
                    assertThat(e.errno())
                            .as("somebody has the other open, or uses it")
                            .isIn(Errno.EINVAL, Errno.EBUSY);
                }
                assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
            }
            Rig.join(other);
            buffer.put();
        }
    }
}
