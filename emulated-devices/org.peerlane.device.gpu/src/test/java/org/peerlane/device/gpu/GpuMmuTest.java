package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.BUS;
import static org.peerlane.device.gpu.TestGpu.CONTROL;
import static org.peerlane.device.gpu.TestGpu.FAULT_ADDRESS;
import static org.peerlane.device.gpu.TestGpu.FAULT_STATUS;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT_ENABLE;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT_STATUS;
import static org.peerlane.device.gpu.TestGpu.MMU_BASE;
import static org.peerlane.device.gpu.TestGpu.MMU_CONTROL;
import static org.peerlane.device.gpu.TestGpu.RUN;
import static org.peerlane.device.gpu.TestGpu.VIRTUAL;
import static org.peerlane.device.gpu.TestGpu.VRAM;
import static org.peerlane.device.gpu.TestGpu.VRAM_BYTES;
import static org.peerlane.device.gpu.TestGpu.bytes;
import static org.peerlane.device.gpu.TestGpu.copy;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.fill;
import static org.peerlane.device.gpu.TestGpu.pattern;

import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.testkit.Await;

@DisplayName("The MMU of a GPU")
class GpuMmuTest {
    private static final long VALID = 1;
    private static final long WRITE = 2;
    private static final long IN_VRAM = 4;
    private static final long PAGE = 8;
    private static final long ENABLE = 1;
    private static final long BASE_IN_VRAM = 2;
    private static final long INVALIDATE = 1L << 31;

    private static final int MMU_FAULT = 8;
    private static final int DISABLED = 1;
    private static final int NOT_PRESENT = 2;
    private static final int READ_ONLY = 3;
    private static final int RESERVED = 4;
    private static final int OUTSIDE_VRAM = 5;
    private static final int TABLE = 6;

    /** Level 2 in RAM, level 1 in VRAM, level 0 in RAM. */
    private static final long TOP = 0x10000;

    private static final long MIDDLE = 0x20000;
    private static final long BOTTOM = 0x12000;

    /** Level 2 entry 1, level 1 entry 2, level 0 entry 3. */
    private static final long AT = 1L << 30 | 2L << 21 | 3L << 12;

    private static final long TOP_ENTRY = TOP + 8;
    private static final long MIDDLE_ENTRY = MIDDLE + 16;
    private static final long BOTTOM_ENTRY = BOTTOM + 24;

    private final TestGpu gpu = new TestGpu();

    @AfterEach
    void nothingStays() {
        gpu.close();
    }

    /** Tables for {@link #AT} and what follows it. */
    private void tables(long... pages) {
        gpu.slot.word(TOP_ENTRY, MIDDLE | IN_VRAM | VALID);
        gpu.vramWord(MIDDLE_ENTRY, BOTTOM | VALID);
        for (int i = 0; i < pages.length; i++) {
            gpu.slot.word(BOTTOM_ENTRY + 8L * i, pages[i]);
        }
    }

    private void start(long control) {
        gpu.setWide(MMU_BASE, TOP);
        gpu.set(MMU_CONTROL, control);
        gpu.start();
    }

    private static long page(long address, long flags) {
        return address | flags | PAGE | VALID;
    }

    private void expectFault(int reason, int level, boolean write, long address) {
        assertThat(gpu.errorCode()).isEqualTo(MMU_FAULT);
        assertThat(gpu.errorDetail()).isEqualTo(reason);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(address);
        assertThat(gpu.getWide(FAULT_ADDRESS)).isEqualTo(address);
        assertThat(gpu.get(FAULT_STATUS)).isEqualTo(1 | (write ? 2 : 0) | reason << 4 | level << 8);
        assertThat(gpu.get(INTERRUPT_STATUS)).isEqualTo(3);
    }

    @Test
    void copiesThroughPagesThatLieAnywhere() {
        tables(page(0x7000, IN_VRAM), page(0x30000, 0), page(0x5000, IN_VRAM));
        byte[] data = pattern(3 * 4096);
        bytes(gpu.vram, 0x7000, Arrays.copyOfRange(data, 0, 4096));
        bytes(gpu.slot.ram, 0x30000, Arrays.copyOfRange(data, 4096, 8192));
        bytes(gpu.vram, 0x5000, Arrays.copyOfRange(data, 8192, 12288));
        start(ENABLE);
        gpu.run(copy(VIRTUAL, AT + 5, BUS, 0x80000, 3 * 4096 - 10));
        assertThat(bytes(gpu.slot.ram, 0x80000, 3 * 4096 - 10))
                .isEqualTo(Arrays.copyOfRange(data, 5, 3 * 4096 - 5));
    }

    @Test
    void copiesBetweenTwoVirtualRangesWhosePagesDoNotLineUp() {
        tables(
                page(0x7000, IN_VRAM),
                page(0x30000, 0),
                page(0x8000, IN_VRAM | WRITE),
                page(0x32000, WRITE));
        byte[] data = pattern(4096);
        bytes(gpu.vram, 0x7000 + 2048, Arrays.copyOfRange(data, 0, 2048));
        bytes(gpu.slot.ram, 0x30000, Arrays.copyOfRange(data, 2048, 4096));
        start(ENABLE);
        gpu.run(copy(VIRTUAL, AT + 2048, VIRTUAL, AT + 2 * 4096 + 1024, 4096));
        assertThat(bytes(gpu.vram, 0x8000 + 1024, 3072))
                .isEqualTo(Arrays.copyOfRange(data, 0, 3072));
        assertThat(bytes(gpu.slot.ram, 0x32000, 1024))
                .isEqualTo(Arrays.copyOfRange(data, 3072, 4096));
        assertThat(bytes(gpu.slot.ram, 0x32000 + 1024, 8)).containsOnly(0);
    }

    @Test
    void fillsAndSignalsThroughPages() {
        tables(page(0x7000, IN_VRAM | WRITE), page(0x30000, WRITE));
        start(ENABLE);
        gpu.run(fill(VIRTUAL, AT + 4092, 8, 0x0101_0101), fence(VIRTUAL, AT + 4096 + 16, 6));
        assertThat(bytes(gpu.vram, 0x7000 + 4088, 8)).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
        assertThat(bytes(gpu.slot.ram, 0x30000, 8)).containsExactly(1, 1, 1, 1, 0, 0, 0, 0);
        assertThat(gpu.slot.word(0x30010)).isEqualTo(6);
        assertThat(gpu.events(GpuFenceWritten.class))
                .containsExactly(new GpuFenceWritten("gpu0", false, 0x30010, 6));
    }

    @Test
    void aLargePageMapsTwoMebibytes() {
        gpu.slot.word(TOP_ENTRY, MIDDLE | IN_VRAM | VALID);
        gpu.vramWord(MIDDLE_ENTRY, page(0x20_0000, WRITE));
        long large = 1L << 30 | 2L << 21;
        start(ENABLE);
        gpu.run(fence(VIRTUAL, large, 1), fence(VIRTUAL, large + 0x1F_FFF8, 2));
        assertThat(gpu.slot.word(0x20_0000)).isEqualTo(1);
        assertThat(gpu.slot.word(0x3F_FFF8)).isEqualTo(2);
    }

    @Test
    void aTopTableInVramIsFoundThere() {
        gpu.vramWord(TOP_ENTRY, MIDDLE | IN_VRAM | VALID);
        gpu.vramWord(MIDDLE_ENTRY, BOTTOM | VALID);
        gpu.slot.word(BOTTOM_ENTRY, page(0x30000, WRITE));
        start(ENABLE | BASE_IN_VRAM);
        gpu.run(fence(VIRTUAL, AT, 1));
        assertThat(gpu.slot.word(0x30000)).isEqualTo(1);
    }

    @Test
    void physicalAddressesDoNotCareWhetherItIsOn() {
        start(ENABLE);
        gpu.run(fence(VRAM, 0x40, 1), fence(BUS, 0x3000, 2));
        assertThat(gpu.vramWord(0x40)).isEqualTo(1);
        assertThat(gpu.slot.word(0x3000)).isEqualTo(2);
    }

    @Test
    void faultsWhileItIsOff() {
        tables(page(0x30000, WRITE));
        start(0);
        gpu.set(INTERRUPT_ENABLE, 2);
        gpu.fail(fence(VIRTUAL, AT, 1));
        expectFault(DISABLED, 2, true, AT);
        assertThat(gpu.slot.interrupts).containsExactly(0);
        assertThat(gpu.events(GpuHalted.class))
                .containsExactly(new GpuHalted("gpu0", 0, 3, "MMU_FAULT", "DISABLED", AT));
    }

    @ParameterizedTest(name = "level {0}: entry {1}, reason {2}")
    @CsvSource({
        "2, 0, 2",
        "1, 0, 2",
        "0, 0, 2",
        "2, 0x20004, 2",
        "0, 0xffffffffffff000e, 2", // not VALID: nothing else counts
        "2, 0x20015, 4",
        "1, 0x12801, 4",
        "0, 0x3000000000000019, 4", // bits 11:4
        "2, 0x2000d, 4", // a page in level 2
        "0, 0x30001, 4", // a table in level 0
        "2, 0x20007, 4",
        "1, 0x12003, 4", // a table with WRITE
        "1, 0x201009, 4",
        "1, 0x300009, 4", // a large page that is not aligned
        "1, 0xd, 5", // 2 MiB in VRAM of 1
        "0, 0x10000d, 5",
        "0, 0x800000000000000d, 5",
    })
    void faultsAtAnEntryThatIsNone(int level, String bits, int reason) {
        tables(page(0x30000, 0));
        long entry = Long.parseUnsignedLong(bits.replace("0x", ""), 16);
        switch (level) {
            case 2 -> gpu.slot.word(TOP_ENTRY, entry);
            case 1 -> gpu.vramWord(MIDDLE_ENTRY, entry);
            default -> gpu.slot.word(BOTTOM_ENTRY, entry);
        }
        start(ENABLE);
        gpu.fail(copy(VIRTUAL, AT + 0x123, BUS, 0x80000, 8));
        expectFault(reason, level, false, AT + 0x123);
        assertThat(reason).isIn(NOT_PRESENT, RESERVED, OUTSIDE_VRAM);
    }

    @ParameterizedTest(name = "level {0}")
    @CsvSource({"2", "1", "0"})
    void faultsAtATableThatCannotBeRead(int level) {
        tables(page(0x30000, 0));
        start(ENABLE);
        switch (level) {
            case 2 -> gpu.setWide(MMU_BASE, 0x7000_0000);
            case 1 -> gpu.slot.word(TOP_ENTRY, VRAM_BYTES | IN_VRAM | VALID);
            default -> gpu.vramWord(MIDDLE_ENTRY, 0x7000_0000 | VALID);
        }
        gpu.set(MMU_CONTROL, INVALIDATE | ENABLE);
        Await.until("the invalidation", () -> gpu.get(MMU_CONTROL) == ENABLE);
        gpu.fail(copy(VIRTUAL, AT, BUS, 0x80000, 8));
        expectFault(TABLE, level, false, AT);
    }

    @Test
    void faultsAtAWriteToAPageThatMayBeReadOnly() {
        tables(page(0x30000, 0));
        start(ENABLE);
        gpu.run(copy(VIRTUAL, AT, VRAM, 0, 8));
        gpu.fail(copy(VRAM, 0, VIRTUAL, AT + 8, 8)); // translated before
        expectFault(READ_ONLY, 0, true, AT + 8);
    }

    @Test
    void aFaultInTheMiddleLeavesThePagesBeforeDone() {
        tables(page(0x30000, WRITE), 0);
        start(ENABLE);
        gpu.fail(fill(VIRTUAL, AT + 4088, 16, -1));
        expectFault(NOT_PRESENT, 0, true, AT + 4096);
        assertThat(gpu.slot.word(0x30000 + 4088)).isEqualTo(-1);
    }

    @Test
    void theFirstFaultStaysUntilItIsCleared() {
        tables(0, 0);
        start(ENABLE);
        gpu.fail(fence(VIRTUAL, AT, 1));
        gpu.start();
        gpu.fail(copy(VIRTUAL, AT + 4096, VRAM, 0, 8));
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(AT + 4096);
        expectFaultAt(AT);
        gpu.set(FAULT_STATUS, 1);
        assertThat(gpu.get(FAULT_STATUS) & 1).isZero();
        gpu.start();
        gpu.fail(copy(VIRTUAL, AT + 4096, VRAM, 0, 8));
        expectFaultAt(AT + 4096);
    }

    private void expectFaultAt(long address) {
        assertThat(gpu.getWide(FAULT_ADDRESS)).isEqualTo(address);
    }

    @Test
    void keepsATranslationUntilItIsToldToDropIt() {
        tables(page(0x30000, WRITE));
        start(ENABLE);
        gpu.run(fence(VIRTUAL, AT, 1));
        gpu.slot.word(BOTTOM_ENTRY, page(0x31000, WRITE));
        gpu.run(fence(VIRTUAL, AT, 2));
        assertThat(gpu.slot.word(0x30000)).as("stale").isEqualTo(2);
        gpu.set(MMU_CONTROL, INVALIDATE | ENABLE);
        Await.until("the invalidation", () -> gpu.get(MMU_CONTROL) == ENABLE);
        gpu.run(fence(VIRTUAL, AT, 3));
        assertThat(gpu.slot.word(0x30000)).isEqualTo(2);
        assertThat(gpu.slot.word(0x31000)).isEqualTo(3);
    }

    @Test
    void keepsLargePagesTooAndDropsThemAtAStart() {
        gpu.slot.word(TOP_ENTRY, MIDDLE | IN_VRAM | VALID);
        gpu.vramWord(MIDDLE_ENTRY, page(0x20_0000, WRITE));
        start(ENABLE);
        gpu.run(fence(VIRTUAL, AT, 1));
        gpu.vramWord(MIDDLE_ENTRY, page(0, WRITE));
        gpu.run(fence(VIRTUAL, AT, 2));
        assertThat(gpu.slot.word(0x20_3000)).as("stale").isEqualTo(2);
        gpu.set(CONTROL, 0);
        gpu.idle();
        gpu.set(CONTROL, RUN);
        gpu.run(fence(VIRTUAL, AT, 3));
        assertThat(gpu.slot.word(0x3000)).isEqualTo(3);
    }

    @Test
    void pagesThatShareAPlaceInTheCacheAreToldApart() {
        tables(page(0x30000, WRITE));
        long other = AT + 64 * 4096;
        gpu.slot.word(BOTTOM_ENTRY + 64 * 8, page(0x31000, WRITE));
        start(ENABLE);
        for (int i = 1; i <= 3; i++) {
            gpu.run(fence(VIRTUAL, AT + 8 * i, i), fence(VIRTUAL, other + 8 * i, -i));
            assertThat(gpu.slot.word(0x30000 + 8L * i)).isEqualTo(i);
            assertThat(gpu.slot.word(0x31000 + 8L * i)).isEqualTo(-i);
        }
    }

    @Test
    void baseAndEnableCountWithTheNextInvalidationOnly() {
        tables(page(0x30000, WRITE));
        start(ENABLE);
        gpu.setWide(MMU_BASE, 0x7000_0000);
        gpu.set(MMU_CONTROL, 0);
        gpu.run(fence(VIRTUAL, AT, 1));
        assertThat(gpu.slot.word(0x30000)).isEqualTo(1);
        gpu.set(MMU_CONTROL, INVALIDATE);
        Await.until("the invalidation", () -> gpu.get(MMU_CONTROL) == 0);
        gpu.fail(fence(VIRTUAL, AT, 2));
        assertThat(gpu.errorDetail()).isEqualTo(DISABLED);
    }

    @Test
    void aStartCountsWithWhatWasThereWhenItWasWritten() {
        tables(page(0x30000, WRITE));
        start(0);
        try (TestGpu.Stop stop = gpu.stopAt("gpu.fence.before-write")) {
            gpu.put(fence(BUS, 0x3000, 1)).ringUp();
            stop.awaitReached(); // so it sees RUN later
            gpu.set(CONTROL, 0);
            gpu.set(MMU_CONTROL, ENABLE);
            gpu.set(CONTROL, RUN);
            gpu.set(MMU_CONTROL, 0);
            gpu.setWide(MMU_BASE, 0x7000_0000);
        }
        gpu.run(fence(VIRTUAL, AT, 1));
        assertThat(gpu.slot.word(0x30000)).isEqualTo(1);
    }

    @Test
    void anInvalidationIsNotOverBeforeTheStepThatUsesOldTranslationsIs() {
        tables(page(0x30000, WRITE), page(0x31000, WRITE));
        start(ENABLE);
        try (TestGpu.Stop stop = gpu.stopAt("gpu.fill.before-copy")) {
            gpu.put(fill(VIRTUAL, AT, 8192, -1)).ringUp();
            stop.awaitReached();
            gpu.set(MMU_CONTROL, INVALIDATE | ENABLE);
            assertThat(gpu.get(MMU_CONTROL)).isEqualTo(INVALIDATE | ENABLE);
            gpu.set(MMU_CONTROL, ENABLE); // no write takes it back
            assertThat(gpu.get(MMU_CONTROL)).isEqualTo(INVALIDATE | ENABLE);
        }
        gpu.idle();
        assertThat(gpu.get(MMU_CONTROL)).isEqualTo(ENABLE);
    }

    @Test
    void aLongCopyGoesOnWithNewTranslations() {
        tables(page(0x30000, WRITE), page(0x31000, WRITE));
        start(ENABLE);
        gpu.run(fence(VIRTUAL, AT + 4096, 1)); // kept
        try (TestGpu.Stop stop = gpu.stopAt("gpu.fill.before-copy")) {
            gpu.put(fill(VIRTUAL, AT, 8192, 0x0505_0505)).ringUp();
            stop.awaitReached();
            gpu.slot.word(BOTTOM_ENTRY + 8, page(0x32000, WRITE));
            gpu.set(MMU_CONTROL, INVALIDATE | ENABLE);
        }
        gpu.idle();
        assertThat(bytes(gpu.slot.ram, 0x30000, 4)).containsOnly(5);
        assertThat(bytes(gpu.slot.ram, 0x31010, 4)).as("the old page").containsOnly(0);
        assertThat(bytes(gpu.slot.ram, 0x32000, 4096)).containsOnly(5);
    }

    @ParameterizedTest(name = "status {0}")
    @ValueSource(ints = {DmaResult.COMPLETER_ABORT, DmaResult.TIMEOUT, DmaResult.BUS_MASTER_OFF})
    void aTableThatTheBusRefusesIsAFaultWhateverTheAnswer(int status) {
        tables(page(0x30000, WRITE));
        start(ENABLE);
        try (TestGpu.Stop stop = gpu.stopAt("gpu.fence.before-write")) {
            gpu.put(fence(VIRTUAL, AT, 1)).ringUp();
            stop.awaitReached();
            gpu.slot.status = status;
        }
        gpu.awaitHalt();
        expectFault(TABLE, 2, true, AT);
    }
}
