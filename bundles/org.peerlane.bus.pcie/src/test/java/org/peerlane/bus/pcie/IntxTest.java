package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;

@DisplayName("INTx")
class IntxTest {
    private static final int INTX_DISABLE = 1 << 10;
    private static final int PENDING = 1 << 3;

    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(
                            new PortConfig("rp0", "00:01.0", 0, false, true),
                            new PortConfig("sw0", "rp0", 3, false, true)),
                    false);

    @AfterEach
    void close() {
        machine.close();
    }

    private static FunctionLayout layout(boolean msi) {
        FunctionLayout.Builder layout =
                FunctionLayout.of(TestMachine.VENDOR, 1, 0x00FF00)
                        .interruptPin(1)
                        .bar(BarLayout.registers(0, 4096, false, false));
        if (msi) {
            layout.with(new CapabilityLayout.Msi(1, true, true));
        }
        return layout.with(CapabilityLayout.Express.plain()).build();
    }

    private TestDevice plug(String port, boolean msi) {
        String name = "at " + port;
        TestDevice.Type type = new TestDevice.Type(layout(msi));
        machine.root.addType(type, name, TypeVersion.of(1, 0, 0));
        machine.root.addSlot(
                port.contains(":")
                        ? new SlotConfig(name, name, port, Map.of())
                        : SlotConfig.below(port, name, name, Map.of()));
        machine.settle();
        return type.last();
    }

    private PcieFunction function(TestDevice device) {
        return machine.function(device.slot.name());
    }

    private IntxLine line(TestDevice device) {
        BusFunction function = (BusFunction) function(device);
        return Objects.requireNonNull(function.fabric.intx.of(function, 1));
    }

    private static void intx(TestDevice device, boolean level) {
        device.slot.interrupts().intx(level);
    }

    @ParameterizedTest
    @Rule("PC-46")
    @Rule("PC-78")
    @CsvSource({
        "sw0.0, INTA of rp0",
        "sw0.1, INTB of rp0",
        "sw0.2, INTC of rp0",
        "00:05.0, INTB of host bridge pc",
        "00:08.0, INTA of host bridge pc",
    })
    void messagesAreTurnedOnTheirWayUp(String port, String line) {
        TestDevice device = plug(port, false);
        assertThat(line(device)).hasToString(line);
        intx(device, true);
        assertThat(line(device).isAsserted()).isTrue();
        intx(device, false);
        assertThat(line(device).isAsserted()).isFalse();
    }

    @ParameterizedTest
    @Rule("PC-25")
    @Rule("PC-26")
    @CsvSource({"true, true", "false, false"})
    void outsideD0TheLineIsDeassertedAndBackInD0AsTheContextSays(boolean keeps, boolean after) {
        FunctionLayout layout =
                FunctionLayout.of(TestMachine.VENDOR, 1, 0x00FF00)
                        .interruptPin(1)
                        .with(new CapabilityLayout.PowerManagement(true, false, keeps, 0))
                        .with(CapabilityLayout.Express.plain())
                        .build();
        TestDevice.Type type = new TestDevice.Type(layout);
        machine.root.addType(type, "power", TypeVersion.of(1, 0, 0));
        machine.root.addSlot(SlotConfig.below("sw0.0", "sleeper", "power", Map.of()));
        machine.settle();
        TestDevice device = type.last();
        PcieFunction function = machine.function("sleeper");
        int pmcsr = Capabilities.legacy((BusFunction) function, 1) + 4;
        intx(device, true);
        assertThat(line(device).isAsserted()).isTrue();
        function.writeConfig(pmcsr, 2, 1);
        assertThat(line(device).isAsserted()).as("D1").isFalse();
        function.writeConfig(pmcsr, 2, 0);
        assertThat(line(device).isAsserted()).as("D1 keeps everything").isTrue();
        function.writeConfig(pmcsr, 2, 3);
        assertThat(line(device).isAsserted()).as("D3hot").isFalse();
        assertThat(function.readConfig(0x06, 2) & PENDING).as("still wanted").isEqualTo(PENDING);
        function.writeConfig(pmcsr, 2, 0);
        assertThat(line(device).isAsserted()).isEqualTo(after);
        intx(device, false);
        function.writeConfig(pmcsr, 2, 3);
        intx(device, true);
        assertThat(line(device).isAsserted()).as("asked for while asleep").isFalse();
        intx(device, false);
        function.writeConfig(pmcsr, 2, 0);
        assertThat(line(device).isAsserted()).isFalse();
    }

    @Test
    @Rule("PC-78")
    void aHandlerRunsAgainUntilTheDeviceDeasserts() throws Exception {
        TestDevice device = plug("sw0.0", false);
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(1);
        Runnable handler =
                () -> {
                    if (runs.incrementAndGet() == 5) {
                        intx(device, false);
                        done.countDown();
                    }
                };
        try (AutoCloseable _ = function(device).requestInterrupt(0, handler)) {
            intx(device, true);
            done.await();
        }
        assertThat(runs).as("and not after").hasValue(5);
    }

    @Test
    @Rule("PC-78")
    void aLineIsSharedAndRunsEveryHandlerAsLongAsOneFunctionAssertsIt() throws Exception {
        TestDevice first = plug("00:05.0", false);
        TestDevice second = plug("00:09.0", false);
        assertThat(line(first)).isSameAs(line(second));
        AtomicInteger ofFirst = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(1);
        Runnable one =
                () -> {
                    intx(first, false);
                    ofFirst.incrementAndGet();
                };
        Runnable other =
                () -> {
                    if (ofFirst.get() >= 3) {
                        intx(second, false);
                        done.countDown();
                    }
                };
        try (AutoCloseable _ = function(first).requestInterrupt(0, one);
                AutoCloseable _ = function(second).requestInterrupt(0, other)) {
            intx(first, true);
            intx(second, true); // now only it ends what is awaited
            done.await();
        }
        assertThat(line(first).isAsserted()).isFalse();
        assertThat(ofFirst).hasValueGreaterThanOrEqualTo(3);
    }

    @Test
    @Rule("PC-78")
    void aLineThatIsAssertedAlreadyInterruptsAtOnce() throws Exception {
        TestDevice device = plug("sw0.0", false);
        intx(device, true);
        CountDownLatch came = new CountDownLatch(1);
        Runnable handler =
                () -> {
                    intx(device, false);
                    came.countDown();
                };
        try (AutoCloseable _ = function(device).requestInterrupt(0, handler)) {
            came.await();
        }
    }

    @Test
    @Rule("PC-78")
    void aLineThatNobodyCaresForIsSwitchedOff() throws Exception {
        TestDevice device = plug("sw0.0", false);
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch most = new CountDownLatch(IntxLine.MOST_UNHANDLED);
        Runnable idle =
                () -> {
                    runs.incrementAndGet();
                    most.countDown();
                };
        AutoCloseable taken = function(device).requestInterrupt(0, idle);
        intx(device, true);
        most.await();
        Await.until("the line to be off", () -> line(device).isOff());
        intx(device, false);
        intx(device, true);
        taken.close();
        assertThat(runs).hasValue(IntxLine.MOST_UNHANDLED);
        CountDownLatch again = new CountDownLatch(1);
        try (AutoCloseable _ = function(device).requestInterrupt(0, again::countDown)) {
            again.await(); // whoever asks next gets it back
        }
    }

    @ParameterizedTest
    @Rule("PC-78")
    @Rule("PC-29")
    @ValueSource(strings = {"disable", "msi", "flr", "link", "pull"})
    void isDeassertedBy(String how) {
        TestDevice device = plug("sw0.1", true);
        PcieFunction function = function(device);
        IntxLine line = line(device);
        intx(device, true);
        assertThat(line.isAsserted()).as("without bus master").isTrue();
        int pending = PENDING;
        switch (how) {
            case "disable" -> function.writeConfig(Offsets.COMMAND, 2, INTX_DISABLE);
            case "msi" -> {
                int msi = Capabilities.legacy((BusFunction) function, 5);
                function.writeConfig(msi + 2, 2, 1);
            }
            case "flr" -> {
                int control = Capabilities.legacy((BusFunction) function, 0x10) + 8;
                function.writeConfig(control, 2, Offsets.DEVCTL_FLR);
                pending = 0;
            }
            case "link" -> {
                PcieFunction port = machine.function("sw0.1");
                port.writeConfig(0x3E, 2, 1 << 6);
                assertThat(line.isAsserted()).isFalse();
                port.writeConfig(0x3E, 2, 0);
                pending = 0;
            }
            default -> machine.root.pull(device.slot.name());
        }
        assertThat(line.isAsserted()).isFalse();
        if (function.isPresent()) {
            assertThat(function.readConfig(Offsets.STATUS, 2) & PENDING).isEqualTo(pending);
        }
    }

    @Test
    @Rule("PC-8")
    void statusSaysThatItIsPendingEvenIfItMayNotBeSent() {
        TestDevice device = plug("sw0.1", false);
        PcieFunction function = function(device);
        function.writeConfig(Offsets.COMMAND, 2, INTX_DISABLE);
        intx(device, true);
        assertThat(line(device).isAsserted()).isFalse();
        assertThat(function.readConfig(Offsets.STATUS, 2) & PENDING).isEqualTo(PENDING);
        function.writeConfig(Offsets.COMMAND, 2, 0);
        assertThat(line(device).isAsserted()).isTrue();
    }
}
