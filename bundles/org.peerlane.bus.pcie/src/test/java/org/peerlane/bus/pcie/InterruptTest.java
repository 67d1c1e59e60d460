package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.bus.pcie.TestMachine.SECOND;

import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;

@DisplayName("Message-signalled interrupts")
class InterruptTest {
    private final TestMachine machine = new TestMachine();
    private final PcieFunction function = machine.plug();
    private final TestDevice device = machine.device();
    private final Semaphore handled = new Semaphore(0);

    @AfterEach
    void stop() {
        machine.close();
    }

    private int raise(int vector) {
        return device.slot.interrupts().raise(vector);
    }

    private boolean awaitOne() throws InterruptedException {
        return handled.tryAcquire(10, TimeUnit.SECONDS);
    }

    /** Whatever was raised before has been handled once this returns. */
    private void barrier() throws Exception {
        Semaphore seen = new Semaphore(0);
        try (AutoCloseable last = function.requestInterrupt(3, seen::release)) {
            assertThat(last).isNotNull();
            assertThat(raise(3)).isEqualTo(DmaResult.OK);
            assertThat(seen.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    private void mask(long bits) {
        function.writeConfig(Offsets.MSI_MASK, 4, bits);
    }

    private long pending() {
        return function.readConfig(Offsets.MSI_PENDING, 4);
    }

    @Rule("PC-30")
    @Test
    void aRaisedVectorCallsItsHandlerAndNoOther() throws Exception {
        AtomicBoolean other = new AtomicBoolean();
        try (AutoCloseable one = function.requestInterrupt(1, handled::release);
                AutoCloseable two = function.requestInterrupt(2, () -> other.set(true))) {
            assertThat(one).isNotSameAs(two);
            assertThat(raise(1)).isEqualTo(DmaResult.OK);
            assertThat(awaitOne()).isTrue();
            barrier();
            assertThat(other).isFalse();
        }
        assertThat(machine.events(BusEvents.MsiSent.class).getFirst().vector()).isEqualTo(1);
    }

    @Rule("PC-28")
    @Test
    void aMaskedVectorPendsAndSendsExactlyOneMessageWhenUnmasked() throws Exception {
        try (AutoCloseable taken = function.requestInterrupt(1, handled::release)) {
            assertThat(taken).isNotNull();
            mask(2);
            assertThat(raise(1)).isEqualTo(DmaResult.OK);
            assertThat(raise(1)).isEqualTo(DmaResult.OK);
            assertThat(pending()).isEqualTo(2);
            assertThat(machine.events(BusEvents.MsiSent.class)).isEmpty();
            function.writeConfig(Offsets.MSI_PENDING, 4, 0);
            assertThat(pending()).as("software cannot clear it").isEqualTo(2);
            mask(0);
            assertThat(pending()).isZero();
            assertThat(machine.events(BusEvents.MsiSent.class)).hasSize(1);
            assertThat(awaitOne()).isTrue();
        }
    }

    @Rule("PC-25")
    @Rule("PC-28")
    @Test
    void aPendingMessageWaitsUntilTheFunctionMaySendIt() throws Exception {
        try (AutoCloseable taken = function.requestInterrupt(1, handled::release)) {
            assertThat(taken).isNotNull();
            mask(2);
            assertThat(raise(1)).isEqualTo(DmaResult.OK);
            function.enable(true, false);
            mask(0);
            assertThat(pending()).isEqualTo(2);
            assertThat(machine.events(BusEvents.MsiSent.class)).isEmpty();
            function.enable(true, true);
            assertThat(pending()).isZero();
            assertThat(awaitOne()).isTrue();
            assertThat(machine.events(BusEvents.MsiSent.class)).hasSize(1);
        }
    }

    @Rule("PC-28")
    @Test
    void whileMessagesAreOffNothingIsSent() throws Exception {
        assertThat(raise(0)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        function.requestInterrupt(0, handled::release).close();
        assertThat(raise(0)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(machine.events(BusEvents.MsiSent.class)).isEmpty();
    }

    @Rule("PC-30")
    @Test
    void aMessageNeedsBusMasterAndD0() throws Exception {
        try (AutoCloseable taken = function.requestInterrupt(0, handled::release)) {
            assertThat(taken).isNotNull();
            function.enable(true, false);
            assertThat(raise(0)).isEqualTo(DmaResult.BUS_MASTER_OFF);
            function.enable(true, true);
            function.writeConfig(Offsets.PMCSR, 2, Offsets.D3HOT);
            assertThat(raise(0)).isEqualTo(DmaResult.BUS_MASTER_OFF);
            assertThat(machine.events(BusEvents.MsiSent.class)).isEmpty();
        }
    }

    @Rule("PC-30")
    @Test
    void aMessageToAnotherAddressIsAMemoryWriteOfItsData() {
        function.writeConfig(Offsets.MSI_ADDRESS, 4, TestMemory.BASE + 0x40);
        function.writeConfig(Offsets.MSI_ADDRESS + 4, 4, 0);
        function.writeConfig(Offsets.MSI_DATA, 2, 0xBEE3);
        function.writeConfig(Offsets.MSI_CONTROL, 2, 1 << 4 | Offsets.MSI_ENABLE);
        assertThat(raise(1)).isEqualTo(DmaResult.OK);
        assertThat(machine.memory.ram.get(ValueLayout.JAVA_INT, 0x40)).isEqualTo(0xBEE3);
        assertThat(raise(0)).isEqualTo(DmaResult.OK);
        assertThat(machine.memory.ram.get(ValueLayout.JAVA_INT, 0x40)).isEqualTo(0xBEE2);
        assertThat(raise(2))
                .as("software has enabled two vectors")
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
    }

    @Test
    void aVectorThatIsNotThereOrTakenIsRefused() throws Exception {
        assertThatThrownBy(() -> function.requestInterrupt(4, () -> {}))
                .isInstanceOf(ErrnoException.class)
                .hasMessageStartingWith("EINVAL")
                .hasMessageContaining("vector 4");
        try (AutoCloseable taken = function.requestInterrupt(1, () -> {})) {
            assertThat(taken).isNotNull();
            assertThatThrownBy(() -> function.requestInterrupt(1, () -> {}))
                    .hasMessageStartingWith("EBUSY");
        }
        function.requestInterrupt(1, () -> {}).close();
        machine.root.removeType(machine.type);
        assertThatThrownBy(() -> function.requestInterrupt(1, () -> {}))
                .hasMessageStartingWith("ENODEV");
    }

    @Test
    void aHandlerThatThrowsDoesNotStopTheOthers() throws Exception {
        try (AutoCloseable bad =
                function.requestInterrupt(
                        0,
                        () -> {
                            throw new IllegalStateException("handler");
                        })) {
            assertThat(bad).isNotNull();
            raise(0);
            barrier();
        }
    }

    @Test
    void closeWaitsForTheHandlerThatRuns() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean finished = new AtomicBoolean();
        AutoCloseable taken =
                function.requestInterrupt(
                        0,
                        () -> {
                            inside.countDown();
                            awaitQuietly(go);
                            finished.set(true);
                        });
        raise(0);
        assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();
        AtomicBoolean finishedBeforeClose = new AtomicBoolean();
        Thread closer =
                Thread.ofPlatform()
                        .start(() -> {
                            closeQuietly(taken);
                            finishedBeforeClose.set(finished.get());
                        });
        Await.untilWaits(closer);
        go.countDown();
        closer.join();
        assertThat(finishedBeforeClose).isTrue();
    }

    @Test
    void aHandlerMayCloseItself() throws Exception {
        AtomicReference<AutoCloseable> self = new AtomicReference<>();
        self.set(
                function.requestInterrupt(
                        0,
                        () -> {
                            closeQuietly(Objects.requireNonNull(self.get()));
                            handled.release();
                        }));
        raise(0);
        assertThat(awaitOne()).isTrue();
        assertThat(machine.root.settle(SECOND)).isTrue();
        function.requestInterrupt(0, () -> {}).close();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void closeQuietly(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
