package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.bus.pcie.TestMachine.filled;
import static org.peerlane.bus.pcie.TestMachine.status;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ReadFailure;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;

@DisplayName("Requests that fail")
class RequestErrorTest {
    private static final int AER = 0x0001;
    private static final int ACS = 0x000D;
    private static final int UNCORRECTABLE = 0x04;
    private static final int CORRECTABLE = 0x10;
    private static final int CORRECTABLE_MASK = 0x14;
    private static final int HEADER = 0x1C;
    private static final int ROOT_STATUS = 0x30;
    private static final int SOURCE = 0x34;
    private static final int ADVISORY = 1 << 13;
    private static final int POISONED = 1 << 12;
    private static final int TIMEOUT = 1 << 14;
    private static final int ABORT = 1 << 15;
    private static final int UNSUPPORTED = 1 << 20;
    private static final int VIOLATION = 1 << 21;
    private static final int MASTER_ABORT = 1 << 13;
    private static final int TARGET_ABORT = 1 << 12;
    private static final int SIGNALLED_ABORT = 1 << 11;
    private static final long ONES = 0xFFFF_FFFFL;

    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(
                            new PortConfig("rp0", "00:01.0", 0, false, true),
                            new PortConfig("sw0", "rp0", 2, false, true)),
                    false);
    private final PcieFunction target = machine.plugBelow("sw0.0", "target");
    private final PcieFunction client = machine.plugBelow("sw0.1", "client");
    private final TestDevice model = machine.type.made.get(0);
    private final TestDevice engine = machine.type.made.get(1);
    private final MemorySegment data = filled(8, 0);

    RequestErrorTest() {
        for (PcieFunction function : machine.root.functions()) {
            int aer = Capabilities.extended((BusFunction) function, AER);
            function.writeConfig(aer + CORRECTABLE_MASK, 4, 0);
            int control = Capabilities.legacy((BusFunction) function, 0x10) + 8;
            function.writeConfig(control, 2, 0xF); // reports everything
        }
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private PcieFunction port(String name) {
        return machine.root.functions().stream()
                .filter(f -> f.slot().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static long aer(PcieFunction function, int register) {
        int aer = Capabilities.extended((BusFunction) function, AER);
        return function.readConfig(aer + register, 4);
    }

    private static int errors(PcieFunction function) {
        return (int) aer(function, UNCORRECTABLE);
    }

    private static int requesterId(PcieFunction function) {
        return function.address().bus() << 8 | function.address().device() << 3;
    }

    /** An address of the upstream port's window that neither downstream port has. */
    private long hole() {
        long base = target.bar(0).first().value();
        port("sw0.0").writeConfig(0x20, 4, 0x0000_FFF0L);
        return base;
    }

    @Test
    @Rule("PC-33")
    @Rule("PC-48")
    @Rule("PC-8")
    void aReadThatNobodyBelowASwitchTakesIsLoggedThereAsAdvisory() {
        long address = hole();
        assertThat(status(machine.read(engine, address, data)))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        PcieFunction upstream = port("sw0");
        assertThat(errors(upstream)).isEqualTo(UNSUPPORTED);
        assertThat(aer(upstream, CORRECTABLE)).isEqualTo(ADVISORY);
        assertThat(aer(upstream, HEADER)).as("memory read, 2 dwords").isEqualTo(2);
        assertThat(aer(upstream, HEADER + 4)).isEqualTo(requesterId(client) << 16 | 0xFFL);
        assertThat(aer(upstream, HEADER + 8)).isEqualTo(address);
        assertThat(client.readConfig(Offsets.STATUS, 2) & MASTER_ABORT).isNotZero();
        assertThat(errors(client)).isZero();
        assertThat(aer(port("rp0"), ROOT_STATUS) & 0x7F).as("ERR_COR").isEqualTo(1);
        assertThat(aer(port("rp0"), SOURCE) & 0xFFFF).isEqualTo(requesterId(upstream));
    }

    @Test
    @Rule("PC-33")
    @Rule("PC-46")
    @Rule("PP-15")
    void aWriteThatNobodyTakesIsAnErrorOfThePortAndNotOfWhoeverPostedIt() {
        long address = hole();
        assertThat(status(machine.write(engine, address, data))).isEqualTo(DmaResult.OK);
        assertThat(errors(port("sw0"))).isEqualTo(UNSUPPORTED);
        assertThat(aer(port("sw0"), CORRECTABLE)).isZero();
        assertThat(aer(port("sw0"), HEADER)).as("memory write").isEqualTo(0x4000_0002L);
        assertThat(client.readConfig(Offsets.STATUS, 2) & MASTER_ABORT).isZero();
        assertThat(aer(port("rp0"), ROOT_STATUS) & 0x7F).as("ERR_NONFATAL").isEqualTo(0x24);
        assertThat(aer(port("rp0"), SOURCE) >>> 16).isEqualTo(requesterId(port("sw0")));
    }

    @Test
    @Rule("PC-33")
    void whatIsNowhereIsRefusedByTheRootPort() {
        assertThat(status(machine.read(engine, 0x10_0000_0000L, data)))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(errors(port("rp0"))).isEqualTo(UNSUPPORTED);
        assertThat(aer(port("rp0"), HEADER)).as("64-bit address").isEqualTo(0x2000_0002L);
        assertThat(aer(port("rp0"), HEADER + 8)).isEqualTo(0x10);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Rule("PC-55")
    void aViolationIsLoggedAtThePortThatSeesIt(boolean write) {
        PcieFunction ingress = port("sw0.1");
        int acs = Capabilities.extended((BusFunction) ingress, ACS);
        ingress.writeConfig(acs + 6, 2, 0x20); // egress control
        ingress.writeConfig(acs + 8, 4, 1); // to port 0
        long address = target.bar(0).first().value();
        long result =
                write ? machine.write(engine, address, data) : machine.read(engine, address, data);
        assertThat(status(result)).isEqualTo(write ? DmaResult.OK : DmaResult.COMPLETER_ABORT);
        assertThat(errors(ingress)).isEqualTo(VIOLATION);
        assertThat(aer(ingress, HEADER + 8)).isEqualTo(address);
        assertThat(client.readConfig(Offsets.STATUS, 2) & TARGET_ABORT)
                .isEqualTo(write ? 0 : TARGET_ABORT);
        assertThat(aer(port("rp0"), ROOT_STATUS) & 0x7F).isEqualTo(write ? 0x24 : 1);
    }

    private void answer(ReadFailure failure) {
        model.failure = failure;
    }

    @Test
    @Rule("PC-66")
    void aDeviceMayRefuseAReadOfAPeers() {
        answer(ReadFailure.COMPLETER_ABORT);
        assertThat(status(machine.read(engine, target.bar(0).first().value(), data)))
                .isEqualTo(DmaResult.COMPLETER_ABORT);
        assertThat(errors(target)).isEqualTo(ABORT);
        assertThat(aer(target, CORRECTABLE)).isEqualTo(ADVISORY);
        assertThat(target.readConfig(Offsets.STATUS, 2) & SIGNALLED_ABORT).isNotZero();
        assertThat(client.readConfig(Offsets.STATUS, 2) & TARGET_ABORT).isNotZero();
        assertThat(errors(client)).isZero();
        answer(ReadFailure.UNSUPPORTED_REQUEST);
        assertThat(status(machine.read(engine, target.bar(0).first().value(), data)))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(errors(target)).isEqualTo(ABORT | UNSUPPORTED);
        assertThat(client.readConfig(Offsets.STATUS, 2) & MASTER_ABORT).isNotZero();
    }

    @Test
    @Rule("PC-66")
    @Rule("PC-8")
    void poisonedDataIsNotTakenAndNoticedByWhoAsked() {
        client.writeConfig(Offsets.COMMAND, 2, 0x46); // answers to parity errors
        answer(ReadFailure.POISONED);
        long result = machine.read(engine, target.bar(0).first().value(), data);
        assertThat(result).isEqualTo(DmaResult.of(DmaResult.POISONED, 0));
        assertThat(errors(client)).isEqualTo(POISONED);
        assertThat(errors(target)).isZero();
        assertThat(client.readConfig(Offsets.STATUS, 2) & 0x8100).isEqualTo(0x8100);
    }

    @Test
    @Rule("PC-67")
    void aReadThatIsNeverAnsweredEndsAfterItsTime() {
        int devctl2 = Capabilities.legacy((BusFunction) client, 0x10) + 0x28;
        client.writeConfig(devctl2, 2, 2); // 10 ms
        answer(ReadFailure.NO_COMPLETION);
        long before = machine.execution.nanoTime();
        long result = machine.read(engine, target.bar(0).first().value(), data);
        assertThat(machine.execution.nanoTime() - before).isGreaterThanOrEqualTo(10_000_000L);
        assertThat(result).isEqualTo(DmaResult.of(DmaResult.TIMEOUT, 0));
        assertThat(errors(client)).isEqualTo(TIMEOUT);
        assertThat(errors(target)).isZero();
        assertThat(aer(port("rp0"), ROOT_STATUS) & 0x7F).as("ERR_NONFATAL").isEqualTo(0x24);
    }

    @Test
    @Rule("PC-62")
    @Rule("PC-67")
    void aResetEndsTheWaitForAnAnswer() throws Exception {
        int express = Capabilities.legacy((BusFunction) client, 0x10);
        client.writeConfig(express + 0x28, 2, 0x10); // never gives up
        CountDownLatch asked = new CountDownLatch(1);
        model.onRead =
                () -> {
                    asked.countDown();
                    throw ReadFailure.NO_COMPLETION;
                };
        AtomicInteger result = new AtomicInteger(-1);
        Thread thread =
                Thread.ofPlatform()
                        .start(() ->
                                result.set(
                                        status(
                                                machine.read(
                                                        engine,
                                                        target.bar(0).first().value(),
                                                        data))));
        asked.await();
        Await.until(
                "transactions pending", () -> (client.readConfig(express + 0x0A, 2) & 1 << 5) != 0);
        client.writeConfig(express + 8, 2, Offsets.DEVCTL_FLR);
        thread.join();
        assertThat(result).hasValue(DmaResult.GONE);
        assertThat(errors(client)).isZero();
    }

    @ParameterizedTest
    @Rule("PC-66")
    @Rule("PC-67")
    @CsvSource({
        "NO_COMPLETION, 0x4000, 0",
        "POISONED, 0x1000, 0",
        "COMPLETER_ABORT, 0, 0x8000",
        "UNSUPPORTED_REQUEST, 0, 0x100000",
    })
    void theCpuReadsOnesAndTheErrorIsLoggedAtTheRightEnd(
            ReadFailure.Kind kind, String atRoot, String atTarget) {
        answer(
                switch (kind) {
                    case NO_COMPLETION -> ReadFailure.NO_COMPLETION;
                    case POISONED -> ReadFailure.POISONED;
                    case COMPLETER_ABORT -> ReadFailure.COMPLETER_ABORT;
                    case UNSUPPORTED_REQUEST -> ReadFailure.UNSUPPORTED_REQUEST;
                });
        assertThat(target.read(0, 0, 4)).isEqualTo(ONES);
        assertThat(errors(port("rp0"))).isEqualTo(Integer.decode(atRoot));
        assertThat(errors(target)).isEqualTo(Integer.decode(atTarget));
    }

    @Test
    @Rule("PC-66")
    @Rule("PC-33")
    void anAccessOfTheCpusThatEndsAtAPortIsLoggedThere() {
        port("sw0.0").writeConfig(0x20, 4, 0x0000_FFF0L);
        assertThat(target.read(0, 0, 4)).isEqualTo(ONES);
        assertThat(errors(port("sw0"))).isEqualTo(UNSUPPORTED);
        assertThat(aer(port("sw0"), CORRECTABLE)).isEqualTo(ADVISORY);
        target.write(0, 0, 4, 1);
        assertThat(aer(port("rp0"), ROOT_STATUS) & 0x24).as("posted").isEqualTo(0x24);
    }

    @Test
    @Rule("PC-66")
    @Rule("PC-62")
    void aFunctionInResetAnswersNoPeer() {
        AtomicInteger status = new AtomicInteger(-1);
        long address = target.bar(0).first().value();
        int express = Capabilities.legacy((BusFunction) target, 0x10);
        model.onReset =
                () -> {
                    target.writeConfig(Offsets.BAR0, 4, address);
                    target.enable(true, true);
                    status.set(status(machine.read(engine, address, data)));
                };
        target.writeConfig(express + 8, 2, Offsets.DEVCTL_FLR);
        assertThat(status).hasValue(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(model.calls).containsExactly("reset FLR");
        assertThat(status(machine.read(engine, address, data))).isEqualTo(DmaResult.OK);
    }
}
