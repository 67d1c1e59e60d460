package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.bus.pcie.TestMachine.filled;
import static org.peerlane.bus.pcie.TestMachine.status;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.testkit.Rule;

@DisplayName("DMA")
class DmaTest {
    private final TestMachine machine = new TestMachine();
    private final PcieFunction function = machine.plug();
    private final TestDevice device = machine.device();

    @AfterEach
    void stop() {
        machine.close();
    }

    private byte ram(long physical) {
        return machine.memory.ram.get(ValueLayout.JAVA_BYTE, physical - TestMemory.BASE);
    }

    @Test
    void bytesGoToRamAndBackUnchangedAcrossPages() {
        MemorySegment out = filled(10_000, 0);
        for (int i = 0; i < 10_000; i++) {
            out.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
        }
        MemorySegment in = filled(10_000, 0);
        assertThat(machine.write(device, TestMemory.BASE + 123, out)).isEqualTo(10_000);
        assertThat(machine.read(device, TestMemory.BASE + 123, in)).isEqualTo(10_000);
        assertThat(in.mismatch(out)).isEqualTo(-1);
        assertThat(ram(TestMemory.BASE + 122)).isZero();
        assertThat(ram(TestMemory.BASE + 123 + 10_000)).isZero();
    }

    @Rule("PC-73")
    @Test
    void aTransactionNeverCrosses4KiB() {
        machine.write(device, TestMemory.BASE + 4000, filled(5000, 1));
        assertThat(machine.events(BusEvents.DmaWrite.class))
                .extracting(BusEvents.DmaWrite::bytes)
                .containsExactly(96L, 4096L, 808L);
    }

    @Rule("PC-65")
    @Test
    void withoutBusMasterNothingIsSent() {
        function.enable(true, false);
        long write = machine.write(device, TestMemory.BASE, filled(16, 1));
        long read = machine.read(device, TestMemory.BASE, filled(16, 1));
        assertThat(status(write)).isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(status(read)).isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(ram(TestMemory.BASE)).isZero();
        assertThat(machine.events(BusEvents.DmaRefused.class)).hasSize(2);
    }

    @Rule("PC-65")
    @Test
    void busMasterOffInTheMiddleEndsTheCallAfterWhatWasIssued() {
        Armed armed =
                machine.execution.arm(
                        "bus.dma.between-transactions", () -> function.enable(true, false));
        long result = machine.write(device, TestMemory.BASE, filled(8192, 1));
        armed.close();
        assertThat(status(result)).isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(DmaResult.bytes(result)).isEqualTo(4096);
        assertThat(ram(TestMemory.BASE + 4095)).isEqualTo((byte) 1);
        assertThat(ram(TestMemory.BASE + 4096)).isZero();
    }

    @Rule("PC-66")
    @Test
    void aReadThatNobodyAnswersIsAnUnsupportedRequest() {
        long result = machine.read(device, TestMemory.END, filled(16, 1));
        assertThat(status(result)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(DmaResult.bytes(result)).isZero();
    }

    @Rule("IM-8")
    @Test
    void aReadThatRunsOffTheEndHasReadWhatIsThere() {
        long result = machine.read(device, TestMemory.END - 100, filled(200, 1));
        assertThat(status(result)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(DmaResult.bytes(result)).isEqualTo(100);
    }

    @Rule("PC-66")
    @Rule("IM-5")
    @Test
    void aWriteThatNobodyTakesIsLostAndTheDeviceNeverLearns() {
        long result = machine.write(device, TestMemory.END - 100, filled(5000, 7));
        assertThat(result).isEqualTo(5000);
        assertThat(ram(TestMemory.END - 1)).isEqualTo((byte) 7);
        assertThat(machine.events(BusEvents.DmaLost.class))
                .extracting(BusEvents.DmaLost::bytes)
                .containsExactly(4096L, 804L);
    }

    @Test
    void aRangePastTheLastAddressIsRefusedWhole() {
        long write = machine.write(device, -8, filled(16, 1));
        long read = machine.read(device, -8, filled(16, 1));
        assertThat(write).isEqualTo(DmaResult.of(DmaResult.UNSUPPORTED_REQUEST, 0));
        assertThat(read).isEqualTo(DmaResult.of(DmaResult.UNSUPPORTED_REQUEST, 0));
        assertThat(machine.events(BusEvents.DmaLost.class)).isEmpty();
    }

    @Test
    void aRangeOutsideTheLocalSegmentIsTheDevicesOwnMistake() {
        assertThatThrownBy(() -> device.slot.dma().write(TestMemory.BASE, 0, filled(16, 1), 8, 16))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Rule("PC-75")
    @Test
    void noBytesAreAFlush() {
        assertThat(device.slot.dma().read(TestMemory.BASE, 0, filled(1, 0), 0, 0)).isZero();
        assertThat(device.slot.dma().write(TestMemory.BASE, 0, filled(1, 0), 0, 0)).isZero();
    }

    @Rule("PC-59")
    @Test
    void itsOwnBarIsNoPeer() {
        long base = function.bar(2).first().value();
        assertThat(status(machine.read(device, base, filled(8, 0))))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(machine.write(device, base, filled(8, 1))).isEqualTo(8);
        assertThat(machine.vram.get(ValueLayout.JAVA_BYTE, 0)).isZero();
        assertThat(machine.events(BusEvents.DmaLost.class)).hasSize(1);
    }

    @Rule("IM-9")
    @Test
    void theInterruptWindowIsNeverMemory() {
        assertThat(status(machine.read(device, 0xFEE0_0000L, filled(4, 0))))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(machine.write(device, 0xFEE0_0000L, filled(8, 0))).isEqualTo(8);
        assertThat(machine.events(BusEvents.DmaLost.class)).hasSize(1);
    }

    @Rule("IM-3")
    @Rule("IM-5")
    @Test
    void aDeclaredIommuThatIsAwayBlocksEverything() {
        try (TestMachine declared = new TestMachine(true)) {
            declared.plug();
            TestDevice there = declared.device();
            assertThat(status(declared.read(there, TestMemory.BASE, filled(8, 0))))
                    .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
            assertThat(declared.write(there, TestMemory.BASE, filled(8, 1))).isEqualTo(8);
            assertThat(declared.memory.ram.get(ValueLayout.JAVA_BYTE, 0)).isZero();
            assertThat(declared.events(BusEvents.DmaLost.class)).hasSize(1);
        }
    }

    @Rule("IM-8")
    @Test
    void eachPageIsTranslatedAndAFaultLeavesTheEarlierOnesDone() {
        DmaTranslation iommu =
                (requester, attributes, address, write, into) -> {
                    assertThat(requester).isEqualTo(0x20);
                    into.physical =
                            TestMemory.BASE + 0x8000 - (address & ~0xFFFL) + (address & 0xFFF);
                    into.bytes = 4096 - (address & 0xFFF);
                    return address < 0x2000 ? DmaResult.OK : DmaResult.COMPLETER_ABORT;
                };
        machine.root.translation(iommu);
        machine.memory.ram.asSlice(0x8000, 4096).fill((byte) 3);
        machine.memory.ram.asSlice(0x7000, 4096).fill((byte) 4);
        MemorySegment in = filled(12288, 0);
        long result = machine.read(device, 0, in);
        assertThat(result).isEqualTo(DmaResult.of(DmaResult.COMPLETER_ABORT, 8192));
        assertThat(in.get(ValueLayout.JAVA_BYTE, 4095)).isEqualTo((byte) 3);
        assertThat(in.get(ValueLayout.JAVA_BYTE, 4096)).isEqualTo((byte) 4);
        assertThat(in.get(ValueLayout.JAVA_BYTE, 8192)).isZero();
        machine.root.translationGone(iommu);
        assertThat(machine.read(device, TestMemory.BASE, filled(8, 0))).isEqualTo(8);
    }

    /** Moves every page up by {@link #shift}, and lets its answers be kept. */
    private static final class KeepingIommu implements DmaTranslation {
        final Generation generation = new Generation();
        long shift = TestMemory.BASE;
        long faulty = -1;
        int asked;

        @Override
        public int translate(
                int requester, int attributes, long address, boolean write, Target into) {
            asked++;
            into.number = generation.number();
            into.generation = generation;
            into.physical = address + shift;
            into.bytes = 4096 - (address & 0xFFF);
            return address >>> 12 == faulty ? DmaResult.UNSUPPORTED_REQUEST : DmaResult.OK;
        }
    }

    @Rule("IM-4")
    @Test
    void aKeptTranslationIsUsedUntilItsGenerationAdvances() {
        KeepingIommu iommu = new KeepingIommu();
        machine.root.translation(iommu);
        machine.write(device, 0, filled(64, 1)); // from now on this thread owns the section
        machine.write(device, 0, filled(64, 1));
        int before = iommu.asked;
        for (int i = 0; i < 10; i++) {
            assertThat(machine.write(device, 64 * i, filled(64, i))).isEqualTo(64);
        }
        assertThat(iommu.asked).isEqualTo(before);
        assertThat(ram(TestMemory.BASE + 9 * 64)).isEqualTo((byte) 9);

        iommu.shift += 0x4000;
        iommu.generation.advance();
        machine.write(device, 0, filled(64, 7));
        assertThat(ram(TestMemory.BASE + 0)).as("the page before").isZero();
        assertThat(ram(TestMemory.BASE + 0x4000)).isEqualTo((byte) 7);
        assertThat(iommu.asked).isEqualTo(before + 1);

        machine.read(device, 0, filled(64, 0));
        assertThat(iommu.asked).as("a way for writes is none for reads").isEqualTo(before + 2);
        machine.write(device, 4096 - 32, filled(64, 3));
        assertThat(iommu.asked).as("half of it is another page").isGreaterThan(before + 2);

        machine.root.translationGone(iommu);
        assertThat(status(machine.read(device, 0, filled(64, 0))))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
    }

    @Rule("IM-8")
    @Test
    void aWriteThatFaultsLosesThatPageOnly() {
        KeepingIommu iommu = new KeepingIommu();
        machine.root.translation(iommu);
        machine.write(device, 0x8000, filled(64, 1));
        iommu.faulty = 1;
        for (int round = 1; round <= 2; round++) {
            assertThat(machine.write(device, 0, filled(3 * 4096, round))).isEqualTo(3 * 4096);
            assertThat(ram(TestMemory.BASE + 4095)).isEqualTo((byte) round);
            assertThat(ram(TestMemory.BASE + 4096)).isZero();
            assertThat(ram(TestMemory.BASE + 8192)).isEqualTo((byte) round);
        }
    }

    @Test
    void everyStepOfATransactionIsACheckpoint() {
        Armed translated = machine.execution.arm("bus.dma.translated", () -> {});
        Armed copy = machine.execution.arm("bus.dma.before-copy", () -> {});
        Armed arrival = machine.execution.arm("bus.dma.before-arrival", () -> {});
        machine.write(device, TestMemory.BASE, filled(8192, 1));
        machine.read(device, TestMemory.BASE, filled(4096, 1));
        assertThat(translated.hits()).isEqualTo(3);
        assertThat(copy.hits()).isEqualTo(3);
        assertThat(arrival.hits()).isEqualTo(2);
    }

    @Test
    void aPeersMemoryBarIsWrittenAndRead() {
        PcieFunction peer = machine.plug("test1", "00:05.0");
        // both devices of the type share one segment; only the peer's BAR decodes here
        function.enable(false, true);
        long base = peer.bar(2).first().value();
        assertThat(machine.write(device, base + 16, filled(5000, 9))).isEqualTo(5000);
        assertThat(machine.vram.get(ValueLayout.JAVA_BYTE, 5015)).isEqualTo((byte) 9);
        MemorySegment in = filled(5000, 0);
        assertThat(machine.read(device, base + 16, in)).isEqualTo(5000);
        assertThat(in.get(ValueLayout.JAVA_BYTE, 4999)).isEqualTo((byte) 9);
    }

    @Rule("PC-71")
    @Test
    void aPeersRegistersAreWrittenInOrderOnItsOwnThreadAndAReadDoesNotPass() {
        PcieFunction peer = machine.plug("test1", "00:05.0");
        TestDevice target = machine.type.last();
        long base = peer.bar(0).first().value();
        assertThat(machine.write(device, base + 2, filled(15, 0x11))).isEqualTo(15);
        MemorySegment in = filled(8, 0);
        assertThat(machine.read(device, base + 8, in)).isEqualTo(8);
        assertThat(target.calls)
                .containsExactly(
                        "write 0 0x2/2 0x1111",
                        "write 0 0x4/4 0x11111111",
                        "write 0 0x8/8 0x1111111111111111",
                        "write 0 0x10/1 0x11",
                        "read 0 0x8/8");
        assertThat(in.get(ValueLayout.JAVA_BYTE, 7)).isEqualTo((byte) 0x11);
        assertThat(machine.execution.alive()).contains("test1.posted");
    }
}
