package org.peerlane.exporter.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.exporter.systemheap.SystemHeap;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

@DisplayName("A buffer that a card has taken in")
class ImportedBufferTest {
    private static final int BYTES = 0x8000;

    private final LiveExecution execution = new LiveExecution("gpu");
    private final GpuMachine machine = new GpuMachine(execution);
    private Card gpu;
    private Card other;
    private GpuBuffer source;
    private DmaBuf shared;
    private GpuBuffer taken;
    private GpuBuffer sink;

    @BeforeEach
    void share() {
        gpu = machine.plug("gpu0", 0);
        other = machine.plug("gpu1", 1);
        machine.direct();
        source = gpu.allocate(GpuAllocation.of(BYTES));
        shared = source.export(ExportInfo.O_RDWR);
        taken = other.importBuffer(shared);
        sink = other.allocate(GpuAllocation.of(BYTES));
    }

    @AfterEach
    void close() {
        sink.close();
        taken.close();
        source.close();
        shared.put();
        assertThat(machine.machine().violations()).isEmpty();
        machine.close();
        execution.close();
    }

    @Test
    @Rule("DY-30")
    @Rule("DY-31")
    void itsEngineReadsAndWritesItWhereverItsExporterMovesIt() {
        int value = 1;
        for (Placement to :
                new Placement[] {
                    Placement.VRAM, Placement.GTT, Placement.SYSTEM, Placement.VRAM, Placement.VRAM
                }) {
            source.fill(0, BYTES, value).put();
            taken.copyTo(0, sink, 0, BYTES).put(); // it waits for the writer by itself
            source.move(to);
            GpuMachine.done(taken.copyTo(0x1000, sink, 0, 0x1000));
            assertThat(machine.word(sink, 0)).isEqualTo(value);
            GpuMachine.done(sink.fill(0, BYTES, ++value));
            GpuMachine.done(sink.copyTo(0, taken, 0, BYTES));
            assertThat(machine.word(source, BYTES - 4)).isEqualTo(value++);
        }
    }

    @Test
    void aFenceOfAWriteToAPeerComesAfterItsBytes() {
        for (int round = 1; round < 20; round++) {
            GpuMachine.done(sink.fill(0, BYTES, round));
            GpuMachine.done(sink.copyTo(0, taken, 0, BYTES));
            assertThat(machine.word(source, BYTES - 4)).isEqualTo(round);
        }
    }

    @Test
    @Rule("RK-4")
    void aResetOfTheExporterTakesItAwayAndItIsUsableAfterwards() {
        GpuMachine.done(taken.copyTo(0, sink, 0, BYTES));
        gpu.reset();
        assertThat(source.losses()).isEqualTo(1);
        assertThat(shared.revokeState()).isEqualTo(RevokeState.OK);
        GpuMachine.done(source.fill(0, BYTES, 0x77));
        GpuMachine.done(taken.copyTo(0, sink, 0, BYTES));
        assertThat(machine.word(sink, 0)).isEqualTo(0x77);
    }

    @Test
    @Rule("RK-14")
    void whenTheExportersCardLeavesItIsRefused() {
        GpuMachine.done(taken.copyTo(0, sink, 0, BYTES));
        machine.root.unbindDriver(gpu.function());
        GpuMachine.expect(Errno.ENODEV, () -> taken.copyTo(0, sink, 0, BYTES));
        GpuMachine.done(sink.fill(0, BYTES, 1));
    }

    @Test
    void whenTheImportersCardLeavesNothingOfItIsLeft() {
        GpuMachine.done(taken.copyTo(0, sink, 0, BYTES));
        machine.root.unbindDriver(other.function());
        assertThat(machine.core.buffer(shared.id()).attachments()).isEmpty();
        assertThat(machine.core.buffer(shared.id()).references()).isEqualTo(1);
        GpuMachine.done(source.fill(0, BYTES, 1));
        source.move(Placement.GTT);
    }

    @Test
    void aHeapsBufferIsTakenInToo() {
        SystemHeap heap = new SystemHeap(machine.owner("heap"), machine.memory, false);
        DmaBuf memory = heap.allocate(new DmaHeap.Allocation(BYTES, 0, ExportInfo.O_RDWR, 0));
        try (GpuBuffer ram = other.importBuffer(memory)) {
            GpuMachine.done(sink.fill(0, BYTES, 0x55));
            GpuMachine.done(sink.copyTo(0, ram, 0, BYTES));
            assertThat(machine.word(ram, BYTES - 4)).isEqualTo(0x55);
            GpuMachine.expect(Errno.EINVAL, () -> sink.copyTo(0, source, 0, BYTES));
        }
        memory.put();
    }

    @Test
    void aCardThatIsPulledOutInMidWorkFailsItAndNothingHangs() {
        machine.root.pull("gpu0");
        machine.settle();
        GpuMachine.expect(Errno.ENODEV, () -> taken.copyTo(0, sink, 0, BYTES));
        GpuMachine.done(sink.fill(0, BYTES, 1));
        assertThat(machine.word(sink, 0)).isEqualTo(1);
    }

    @Test
    @Rule("FE-40")
    void workThatTheCardRefusesFailsAloneAndTheNextGoesOn() {
        // an address that no mapping has: the engine stops with an error of the bus
        Fence failed =
                other.engine()
                        .submit(
                                List.of(
                                        new Job.Step(
                                                new Run(GpuRegisters.BUS, 0xDEAD_0000_0000L, 4096),
                                                new Run(GpuRegisters.VRAM, 0, 4096),
                                                0)),
                                false,
                                List.of(),
                                null);
        Fence next = sink.fill(0, BYTES, 9);
        failed.waitTimeout(false, Long.MAX_VALUE);
        assertThat(failed.error()).isEqualTo(Errno.EIO);
        failed.put();
        GpuMachine.done(next);
        assertThat(machine.word(sink, 0)).isEqualTo(9);
    }
}
