package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.BUS;
import static org.peerlane.device.gpu.TestGpu.CONTROL;
import static org.peerlane.device.gpu.TestGpu.NOP;
import static org.peerlane.device.gpu.TestGpu.PACKETS;
import static org.peerlane.device.gpu.TestGpu.RING;
import static org.peerlane.device.gpu.TestGpu.RING_BASE;
import static org.peerlane.device.gpu.TestGpu.RING_HEAD;
import static org.peerlane.device.gpu.TestGpu.RING_SETUP;
import static org.peerlane.device.gpu.TestGpu.RING_TAIL;
import static org.peerlane.device.gpu.TestGpu.RUN;
import static org.peerlane.device.gpu.TestGpu.TRAP;
import static org.peerlane.device.gpu.TestGpu.WRITE_BACK;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.header;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.testkit.Await;

@DisplayName("The ring of a GPU")
class CommandRingTest {
    private static final int ERROR_TRUNCATED = 4;
    private static final int ERROR_FETCH = 10;
    private static final int ERROR_RING = 11;
    private static final int ERROR_WRITE_BACK = 12;

    private final TestGpu gpu = new TestGpu();

    @AfterEach
    void nothingStays() {
        gpu.close();
    }

    private static long[] nop(int words) {
        long[] packet = new long[words];
        packet[0] = header(NOP, 0, words);
        return packet;
    }

    @Test
    void runsPacketsInOrderAndCountsThem() {
        gpu.start().run(fence(BUS, 0x2000, 1), fence(BUS, 0x2000, 2), fence(BUS, 0x2008, 3));
        assertThat(gpu.slot.word(0x2000)).isEqualTo(2);
        assertThat(gpu.slot.word(0x2008)).isEqualTo(3);
        assertThat(gpu.getWide(PACKETS)).isEqualTo(3);
    }

    @Test
    void aRingInVramIsReadWithoutTheBus() {
        long[] packet = fence(BUS, 0x2000, 9);
        for (int i = 0; i < packet.length; i++) {
            gpu.vramWord(0x4000 + 8L * i, packet[i]);
        }
        gpu.setWide(RING_BASE, 0x4000);
        gpu.set(RING_SETUP, 0x100 | 12);
        gpu.set(RING_TAIL, 24);
        gpu.set(CONTROL, RUN);
        gpu.idle();
        assertThat(gpu.slot.word(0x2000)).isEqualTo(9);
        assertThat(gpu.get(RING_HEAD)).isEqualTo(24);
    }

    @Test
    void aPacketMayGoAroundTheEnd() {
        gpu.start();
        for (int i = 0; i < 2; i++) {
            gpu.run(nop(255));
        }
        gpu.run(fence(BUS, 0x2000, 0x1122_3344_5566_7788L)); // words 510, 511 and 0
        assertThat(gpu.get(RING_HEAD)).isEqualTo(8);
        assertThat(gpu.slot.word(0x2000)).isEqualTo(0x1122_3344_5566_7788L);
    }

    @Test
    void aPacketThatIsHalfFetchedIsFetchedAgain() {
        gpu.setWide(RING_BASE, 0x10000);
        gpu.set(RING_SETUP, 13);
        long at = 0x10000;
        for (int i = 0; i < 3; i++, at += 170 * 8) {
            gpu.slot.word(at, header(NOP, 0, 170)); // 510 words of the first 512
        }
        long[] packet = fence(BUS, 0x2000, 77);
        for (int i = 0; i < packet.length; i++) {
            gpu.slot.word(at + 8L * i, packet[i]);
        }
        gpu.set(RING_TAIL, 513 * 8);
        gpu.set(CONTROL, RUN);
        gpu.idle();
        assertThat(gpu.slot.word(0x2000)).isEqualTo(77);
        assertThat(gpu.getWide(PACKETS)).isEqualTo(4);
    }

    @Test
    void whatHasBeenFetchedCannotBeChanged() {
        try (TestGpu.Stop stop = gpu.stopAt("gpu.fence.before-write")) {
            gpu.start().put(fence(BUS, 0x2000, 1)).put(fence(BUS, 0x2008, 2)).ringUp();
            stop.awaitReached();
            gpu.slot.word(RING + 24 + 16, 99);
        }
        gpu.idle();
        assertThat(gpu.slot.word(0x2008)).isEqualTo(2);
    }

    @Test
    void startsWhereTheHeadIsPut() {
        gpu.ring().put(fence(BUS, 0x2000, 1)).put(fence(BUS, 0x2008, 2));
        gpu.set(RING_HEAD, 24);
        gpu.set(CONTROL, RUN);
        gpu.ringUp().idle();
        assertThat(gpu.slot.word(0x2000)).isZero();
        assertThat(gpu.slot.word(0x2008)).isEqualTo(2);
    }

    @Test
    void doesNothingBeforeRunAndNothingWithoutADoorbell() {
        gpu.ring().put(fence(BUS, 0x2000, 1)).ringUp().idle();
        assertThat(gpu.slot.word(0x2000)).isZero();
        gpu.set(CONTROL, RUN);
        gpu.idle();
        assertThat(gpu.slot.word(0x2000)).isEqualTo(1);
        gpu.put(fence(BUS, 0x2000, 2)).idle();
        assertThat(gpu.slot.word(0x2000)).isEqualTo(1);
    }

    @ParameterizedTest(name = "base {0}, setup {1}, head {2}")
    @CsvSource({
        "0x1000, 11, 0, 0x1000", // too small
        "0x1000, 25, 0, 0x1000", // too large
        "0x1000, 0, 0, 0x1000",
        "0x1000, 12, 0x1000, 0x1000", // head outside
        "0xff000, 0x10d, 0, 0xff000", // 8 KiB from the last 4 of 1 MiB of VRAM
        "0x100000, 0x10c, 0, 0x100000",
        "-0x1000, 13, 0, -0x1000", // around the end of the bus
        "-0x8000000000000000, 0x10c, 0, -0x8000000000000000",
    })
    void refusesARingThatIsNone(String base, String setup, String head, String address) {
        gpu.setWide(RING_BASE, Long.decode(base));
        gpu.set(RING_SETUP, Integer.decode(setup));
        gpu.set(RING_HEAD, Integer.decode(head));
        gpu.set(CONTROL, RUN);
        gpu.awaitHalt();
        assertThat(gpu.errorCode()).isEqualTo(ERROR_RING);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(Long.decode(address));
        assertThat(gpu.events(GpuHalted.class)).hasSize(1);
    }

    @Test
    void theLastPageOfTheBusAndOfTheVramMayBeARing() {
        gpu.setWide(RING_BASE, -0x1000);
        gpu.set(RING_SETUP, 12);
        gpu.set(RING_TAIL, 8);
        gpu.set(CONTROL, RUN);
        gpu.awaitHalt();
        assertThat(gpu.errorCode()).as("only nobody answers there").isEqualTo(ERROR_FETCH);
        gpu.setWide(RING_BASE, 0xFF000);
        gpu.set(RING_SETUP, 0x10C);
        gpu.vramWord(0xFF000, header(NOP, 0, 1));
        gpu.set(CONTROL, RUN);
        gpu.idle();
        assertThat(gpu.get(TestGpu.ERROR)).isZero();
        assertThat(gpu.get(RING_HEAD)).isEqualTo(8);
    }

    @Test
    void refusesATailOutsideTheRing() {
        gpu.start();
        gpu.set(RING_TAIL, 0x1000);
        gpu.awaitHalt();
        assertThat(gpu.errorCode()).isEqualTo(ERROR_RING);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(0x1000);
    }

    @Test
    void saysWhyItCannotFetch() {
        gpu.start();
        gpu.slot.status = DmaResult.BUS_MASTER_OFF;
        gpu.fail(nop(1));
        assertThat(gpu.errorCode()).isEqualTo(ERROR_FETCH);
        assertThat(gpu.errorOpcode()).isZero();
        assertThat(gpu.errorDetail()).isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(RING);
        assertThat(gpu.events(GpuHalted.class))
                .containsExactly(new GpuHalted("gpu0", 0, 0, "FETCH", "bus master off", RING));
    }

    @ParameterizedTest(name = "{0} words of a FENCE")
    @ValueSource(ints = {1, 2})
    void refusesAPacketThatReachesPastTheTail(int words) {
        gpu.start().run(nop(3));
        long[] packet = fence(BUS, 0x2000, 1);
        gpu.put(packet);
        gpu.set(RING_TAIL, 24 + 8L * words);
        gpu.awaitHalt();
        assertThat(gpu.errorCode()).isEqualTo(ERROR_TRUNCATED);
        assertThat(gpu.errorOpcode()).isEqualTo(TestGpu.FENCE);
        assertThat(gpu.get(TestGpu.ERROR_OFFSET)).isEqualTo(24);
        assertThat(gpu.slot.word(0x2000)).isZero();
        gpu.ringUp();
        gpu.set(CONTROL, RUN);
        gpu.idle();
        assertThat(gpu.slot.word(0x2000)).as("whole").isEqualTo(1);
        assertThat(gpu.get(TestGpu.ERROR)).as("cleared by RUN").isZero();
    }

    @Test
    void writesTheHeadBackWhenItHasUsedUpWhatItFetched() {
        gpu.setWide(WRITE_BACK, 0x3000 | 1);
        gpu.slot.word(0x3000, -1);
        gpu.start().run(nop(2), nop(3));
        assertThat(gpu.slot.word(0x3000)).isEqualTo(40);
        gpu.set(CONTROL, 0);
        gpu.idle();
        gpu.setWide(WRITE_BACK, 0xFFFF8 | 3);
        gpu.set(CONTROL, RUN);
        gpu.run(nop(1));
        assertThat(gpu.vramWord(0xFFFF8)).as("in VRAM").isEqualTo(48);
        assertThat(gpu.slot.word(0x3000)).isEqualTo(40);
    }

    @Test
    void theHeadIsWrittenBackBeforeThePacketInterrupts() {
        gpu.setWide(WRITE_BACK, 0x3000 | 1);
        try (TestGpu.Stop stop = gpu.stopAt("gpu.interrupt.before-message")) {
            gpu.start().put(header(TRAP, 0, 1, 5, 0)).ringUp();
            stop.awaitReached();
            assertThat(gpu.slot.word(0x3000)).isEqualTo(8);
            assertThat(gpu.get(RING_HEAD)).isEqualTo(8);
            assertThat(gpu.slot.interrupts).isEmpty();
        }
        Await.until("the interrupt", () -> gpu.slot.interrupts.equals(List.of(5)));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"0x100003, 0x100000", "-5, -8"}) // both in VRAM
    void stopsIfItCannotWriteTheHeadBack(String register, String address) {
        gpu.setWide(WRITE_BACK, Long.decode(register));
        gpu.start().put(nop(1)).ringUp().awaitHalt();
        assertThat(gpu.errorCode()).isEqualTo(ERROR_WRITE_BACK);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(Long.decode(address));
        assertThat(gpu.get(TestGpu.ERROR_OFFSET)).as("the packet is done").isEqualTo(8);
    }

    @Test
    void saysWhatTheBusAnsweredToTheWriteBack() {
        gpu.setWide(WRITE_BACK, 0x3000 | 1);
        try (TestGpu.Stop stop = gpu.stopAt("gpu.write-back.before-write")) {
            gpu.start().put(nop(1)).ringUp();
            stop.awaitReached();
            gpu.slot.status = DmaResult.BUS_MASTER_OFF;
        }
        gpu.awaitHalt();
        assertThat(gpu.errorCode()).isEqualTo(ERROR_WRITE_BACK);
        assertThat(gpu.errorDetail()).isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(0x3000);
    }
}
