package org.peerlane.device.edu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.registers.RegisterFile;
import org.peerlane.testkit.Rule;

@DisplayName("An edu device")
class EduDeviceTest {
    private static final long BUFFER = 0x40000;
    private static final long RUN = 1;
    private static final long TO_RAM = 2;
    private static final long IRQ = 4;
    private static final long ERROR = 8;

    private final TestSlot slot = new TestSlot(Map.of());
    private final EduDevice edu = (EduDevice) new EduDeviceType().create(slot);

    @AfterEach
    void closeEndsTheEngine() {
        edu.close();
        assertThat(slot.execution.alive()).isEmpty();
        assertThat(slot.execution.failures()).isEmpty();
    }

    private long get(long offset) {
        return edu.read(0, offset, 4);
    }

    private void set(long offset, long value) {
        edu.write(0, offset, 4, value);
    }

    private void dma(long source, long destination, long bytes, long command) {
        edu.write(0, 0x80, 8, source);
        edu.write(0, 0x88, 8, destination);
        edu.write(0, 0x90, 8, bytes);
        edu.write(0, 0x98, 8, command);
    }

    private void dmaAndWait(long source, long destination, long bytes, long direction)
            throws InterruptedException {
        dma(source, destination, bytes, RUN | IRQ | direction);
        assertThat(slot.interrupted()).isTrue();
        assertThat(get(0x24)).isEqualTo(0x100);
        set(0x64, 0x100);
    }

    private static byte[] pattern(int bytes) {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            data[i] = (byte) (i * 31 + 7);
        }
        return data;
    }

    @Test
    void looksLikeTheOneInQemu() {
        FunctionLayout layout = edu.layout();
        assertThat(layout.vendorId()).isEqualTo(0x1234);
        assertThat(layout.deviceId()).isEqualTo(0x11E8);
        assertThat(layout.revision()).isEqualTo(0x10);
        assertThat(layout.classCode()).isEqualTo(0x00FF00);
        assertThat(layout.capabilities())
                .isEqualTo(List.<CapabilityLayout>of(new CapabilityLayout.Msi(1, true, false)));
        assertThat(layout.interruptPin()).isEqualTo(1);
        assertThat(layout.bars())
                .singleElement()
                .satisfies(bar -> {
                    assertThat(bar.bytes()).isEqualTo(1 << 20);
                    assertThat(bar.wide()).isFalse();
                    assertThat(bar.prefetchable()).isFalse();
                    assertThat(bar.memory()).isNull();
                });
        assertThat(get(0)).isEqualTo(0x010000ED);
    }

    @Test
    void hasTheRegistersOfItsSpecification() throws IOException {
        try (InputStream golden = getClass().getResourceAsStream("registers.txt")) {
            assertThat(new RegisterFile<>(EduRegister.class, EduRegister.WINDOW_BYTES))
                    .hasToString(
                            new String(
                                    Objects.requireNonNull(golden).readAllBytes(),
                                    StandardCharsets.UTF_8));
        }
    }

    @Test
    void isAliveIfItInverts() {
        set(0x04, 0x1234_5678);
        assertThat(get(0x04)).isEqualTo(0xEDCB_A987L);
    }

    @ParameterizedTest(name = "{0}! is {1} modulo 2^32")
    @CsvSource({
        "0, 1",
        "1, 1",
        "5, 120",
        "12, 479001600",
        "13, 1932053504",
        "34, 0",
        "4294967295, 0"
    })
    void computesFactorials(long operand, long result) throws InterruptedException {
        set(0x20, 0x80);
        set(0x08, operand);
        assertThat(slot.interrupted()).isTrue();
        assertThat(get(0x20)).isEqualTo(0x80);
        assertThat(get(0x08)).isEqualTo(result);
        assertThat(get(0x24)).isEqualTo(0x01);
    }

    @Test
    void isBusyWhileItComputesAndTakesNoOtherOperand() throws Exception {
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Armed armed = stopAt("edu.factorial.before-result", computing, goOn)) {
            set(0x20, 0x80);
            set(0x08, 4);
            assertThat(computing.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(get(0x20)).isEqualTo(0x81);
            set(0x08, 5);
            goOn.countDown();
            assertThat(slot.interrupted()).isTrue();
            assertThat(get(0x08)).isEqualTo(24);
            assertThat(armed.hits()).isEqualTo(1);
        }
    }

    @Test
    void raisesAndAcknowledgesInterrupts() throws InterruptedException {
        set(0x60, 0x5);
        assertThat(slot.interrupted()).isTrue();
        assertThat(get(0x24)).isEqualTo(0x5);
        set(0x64, 0x4);
        assertThat(get(0x24)).isEqualTo(0x1);
        assertThat(get(0x60)).isZero();
        assertThat(get(0x64)).isZero();
    }

    @Test
    void movesDataToItsBufferAndBack() throws InterruptedException {
        byte[] data = pattern(4096);
        System.arraycopy(data, 0, slot.ram, 0x1000, 4096);
        dmaAndWait(0x1000, BUFFER, 4096, 0);
        dmaAndWait(BUFFER, 0x8000, 4096, TO_RAM);
        assertThat(Arrays.copyOfRange(slot.ram, 0x8000, 0x9000)).isEqualTo(data);
        assertThat(edu.failedTransfers()).isZero();
    }

    @Test
    void movesAPartOfItsBufferAndNoByteMore() throws InterruptedException {
        byte[] data = pattern(10);
        System.arraycopy(data, 0, slot.ram, 0x1000, 10);
        dmaAndWait(0x1000, BUFFER + 4086, 10, 0);
        dmaAndWait(BUFFER + 4088, 0x8003, 5, TO_RAM);
        assertThat(Arrays.copyOfRange(slot.ram, 0x8002, 0x8009))
                .containsExactly(0, data[2], data[3], data[4], data[5], data[6], 0);
    }

    @ParameterizedTest(name = "direction {0}, device address {1}, {2} bytes")
    @CsvSource({
        "0, 0x3ffff, 1",
        "0, 0x41000, 1",
        "0, 0x40000, 4097",
        "0, 0x40fff, 2",
        "2, 0x40001, 4096",
        "2, 0, 4",
        "2, 0x40000, 0x7fffffffffffffff",
        "0, 0x40000, -1",
        "2, -1, 2",
        "0, -0x8000000000000000, 1",
    })
    void refusesARangeOutsideItsBuffer(long direction, String address, String count)
            throws InterruptedException {
        long inside = Long.decode(address);
        long bytes = Long.decode(count);
        boolean toRam = direction == TO_RAM;
        dmaAndWait(toRam ? inside : 0x1000, toRam ? 0x1000 : inside, bytes, direction);
        assertThat(get(0x98)).isEqualTo(IRQ | direction | ERROR);
        assertThat(slot.addresses).isEmpty();
        assertThat(edu.failedTransfers()).isEqualTo(1);
        assertThat(slot.events)
                .containsExactly(
                        new EduDmaFailed(
                                "edu0", toRam, 0x1000, inside, bytes, "range outside the buffer"));
        dmaAndWait(0x1000, BUFFER, 16, 0);
        assertThat(get(0x98)).as("the next transfer clears it").isEqualTo(IRQ);
    }

    @Test
    void saysWhatTheBusAnswered() throws InterruptedException {
        slot.status = DmaResult.BUS_MASTER_OFF;
        dmaAndWait(BUFFER, 0x1000, 4, TO_RAM);
        assertThat(get(0x98) & ERROR).isEqualTo(ERROR);
        assertThat(slot.events)
                .containsExactly(
                        new EduDmaFailed("edu0", true, 0x1000, BUFFER, 4, "bus master off"));
    }

    @Test
    void dropsAddressBitsAboveItsDmaMask() throws InterruptedException {
        dmaAndWait(0x7_F000_1000L, BUFFER, 4, 0);
        assertThat(slot.addresses).containsExactly(0x1000L);
        TestSlot wideSlot = new TestSlot(Map.of("dmaMaskBits", 64));
        DeviceModel wide = new EduDeviceType().create(wideSlot);
        wide.write(0, 0x80, 8, -4096);
        wide.write(0, 0x88, 8, BUFFER);
        wide.write(0, 0x90, 8, 4);
        wide.write(0, 0x98, 4, RUN | IRQ);
        assertThat(wideSlot.interrupted()).isTrue();
        assertThat(wideSlot.addresses).containsExactly(-4096L);
        wide.close();
    }

    @Test
    void movesNothingForACountOfZero() throws InterruptedException {
        dmaAndWait(0x1000, BUFFER + 4096, 0, 0);
        assertThat(get(0x98)).isEqualTo(IRQ);
        assertThat(slot.addresses).isEmpty();
    }

    @Test
    void keepsItsDmaRegistersWhileATransferRuns() throws Exception {
        CountDownLatch copying = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Armed armed = stopAt("edu.dma.before-copy", copying, goOn)) {
            dma(0x1000, BUFFER, 16, RUN | IRQ);
            assertThat(copying.await(10, TimeUnit.SECONDS)).isTrue();
            dma(0x2000, 0, 99, RUN | TO_RAM);
            assertThat(edu.read(0, 0x80, 8)).isEqualTo(0x1000);
            assertThat(edu.read(0, 0x88, 8)).isEqualTo(BUFFER);
            assertThat(edu.read(0, 0x90, 8)).isEqualTo(16);
            assertThat(edu.read(0, 0x98, 8)).isEqualTo(RUN | IRQ);
            goOn.countDown();
            assertThat(slot.interrupted()).isTrue();
            assertThat(armed.hits()).isEqualTo(1);
        }
    }

    @Test
    void aCommandWithoutRunChangesNothing() {
        edu.write(0, 0x98, 8, IRQ | TO_RAM);
        edu.write(0, 0x9C, 4, -1);
        assertThat(get(0x98)).isZero();
    }

    @ParameterizedTest(name = "{1} bytes at {0}: {2}")
    @CsvSource({
        "0x00, 1, false", "0x02, 2, false", "0x00, 8, false", "0x00, 4, true",
        "0x78, 8, false", "0x80, 1, false", "0x80, 2, false", "0x80, 4, true",
        "0x84, 4, true", "0x80, 8, true",
    })
    void takesFourBytesAndFrom0x80OnEight(String at, int bytes, boolean taken) {
        long offset = Long.decode(at);
        long allOnes = bytes == 8 ? -1 : (1L << 8 * bytes) - 1;
        edu.write(0, offset, bytes, 0x11);
        if (taken) {
            assertThat(edu.read(0, offset, bytes)).isNotEqualTo(allOnes);
            assertThat(edu.refusedAccesses()).isZero();
        } else {
            assertThat(edu.read(0, offset, bytes)).isEqualTo(allOnes);
            assertThat(edu.refusedAccesses()).isEqualTo(2);
            assertThat(slot.events)
                    .containsExactly(
                            new EduAccessRefused("edu0", offset, bytes, true),
                            new EduAccessRefused("edu0", offset, bytes, false));
        }
    }

    @Rule("PC-20")
    @ParameterizedTest(name = "0x{0}")
    @ValueSource(longs = {0x0C, 0x28, 0x7C, 0xA0, 0x40000, 0xFFFFC})
    void readsZeroWhereNothingIs(long offset) {
        assertThat(get(offset)).isZero();
        set(offset, -1);
        assertThat(get(offset)).isZero();
        assertThat(edu.refusedAccesses()).isEqualTo(1);
    }

    @Test
    void aResetForgetsTheTransferUnderWayAndWhatTheBufferHeld() throws Exception {
        Arrays.fill(slot.ram, 0x1000, 0x1010, (byte) 0x55);
        CountDownLatch copied = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Armed armed = stopAt("edu.dma.before-interrupt", copied, goOn)) {
            dma(0x1000, BUFFER, 16, RUN | IRQ);
            assertThat(copied.await(10, TimeUnit.SECONDS)).isTrue();
            edu.reset(ResetKind.FLR);
            assertThat(edu.read(0, 0x98, 8)).isZero();
            assertThat(edu.read(0, 0x80, 8)).isZero();
            Arrays.fill(slot.ram, 0x2000, 0x2010, (byte) 0x66);
            dma(BUFFER, 0x2000, 16, RUN | IRQ | TO_RAM); // the next user is early
            goOn.countDown();
            assertThat(slot.interrupted()).isTrue();
            assertThat(armed.hits()).isEqualTo(2);
        }
        assertThat(slot.interrupts.availablePermits()).as("of the forgotten transfer").isZero();
        assertThat(Arrays.copyOfRange(slot.ram, 0x2000, 0x2010)).containsOnly(0);
    }

    @ParameterizedTest(name = "dmaMaskBits {0}")
    @ValueSource(ints = {-1, 0, 11, 65})
    void isNotMadeWithAMaskOutOfRange(int bits) {
        TestSlot other = new TestSlot(Map.of("dmaMaskBits", bits));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> new EduDeviceType().create(other))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .withMessageContaining("dmaMaskBits is " + bits);
        assertThat(other.execution.alive()).isEmpty();
    }

    private Armed stopAt(String checkpoint, CountDownLatch reached, CountDownLatch goOn) {
        return slot.execution.arm(
                checkpoint,
                () -> {
                    reached.countDown();
                    try {
                        assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
    }
}
