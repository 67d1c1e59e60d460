package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.bus.pcie.TestMachine.SECOND;
import static org.peerlane.bus.pcie.TestMachine.filled;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.Tracer;

@DisplayName("Interleavings on the bus")
class InterleavingTest {
    private static final FunctionLayout PHYSICAL =
            FunctionLayout.of(TestMachine.VENDOR, 0x11E8, 0x00FF00)
                    .interruptPin(1)
                    .bar(BarLayout.registers(0, 4096, false, false))
                    .with(CapabilityLayout.Express.plain())
                    .with(new CapabilityLayout.SrIov(1, 1, 1, 0x11E9, 1, List.of()))
                    .build();
    private static final FunctionLayout VIRTUAL =
            FunctionLayout.of(TestMachine.VENDOR, 0x11E9, 0x00FF00)
                    .with(CapabilityLayout.Express.plain())
                    .build();

    /** Rather small, since one is made for each schedule. */
    private static final class Machine implements AutoCloseable {
        final TestMemory memory = new TestMemory();
        final TestDevice.Type type = new TestDevice.Type(PHYSICAL);
        final PcieRoot root;
        final PcieFunction function;

        Machine(Execution execution) throws InterruptedException {
            Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
            root =
                    new PcieRoot(
                            execution,
                            tracer,
                            memory,
                            List.of(HostBridgeConfig.DEFAULT),
                            List.of(new PortConfig("rp0", "00:01.0", 0, false, true)),
                            false,
                            false);
            root.addType(type, "test", TypeVersion.of(1, 0, 0));
            root.addSlot(SlotConfig.below("rp0", "pf", "test", Map.of()));
            settle();
            type.last().virtualLayout = VIRTUAL;
            function = find("pf");
        }

        PcieFunction find(String slot) {
            return root.functions().stream()
                    .filter(f -> f.slot().equals(slot))
                    .findFirst()
                    .orElseThrow();
        }

        void settle() throws InterruptedException {
            assertThat(root.settle(SECOND)).isTrue();
        }

        @Override
        public void close() {
            root.close();
        }
    }

    @Rule("PC-36")
    @Rule("PC-62")
    @Explore(schedules = 10_000)
    void nothingOfAVirtualFunctionArrivesOnceVfEnableIsClear(Execution execution)
            throws InterruptedException {
        try (Machine machine = new Machine(execution)) {
            int at = Capabilities.extended((BusFunction) machine.function, 0x10);
            machine.function.writeConfig(at + 0x10, 2, 1);
            machine.function.writeConfig(at + 0x08, 2, 1);
            machine.find("pf.vf1").enable(false, true);
            TestDevice device = machine.type.last().virtuals.getFirst();
            MemorySegment data = filled(3 * 4096, 5);
            EmulatedThread engine =
                    execution.start(
                            ThreadKind.BLOCKING,
                            "engine",
                            () -> {
                                for (int i = 0; i < 3; i++) {
                                    var _ =
                                            device.slot
                                                    .dma()
                                                    .write(TestMemory.BASE, 0, data, 0, 3 * 4096);
                                }
                            });
            execution.sleep(1);
            machine.function.writeConfig(at + 0x08, 2, 0);
            MemorySegment ram = machine.memory.ram.asSlice(0, 3 * 4096);
            ram.fill((byte) 0);
            engine.join();
            machine.settle();
            for (int page = 0; page < 3; page++) {
                assertThat(ram.get(ValueLayout.JAVA_BYTE, page * 4096L)).isZero();
            }
            assertThat(device.calls).containsExactly("close");
        }
    }

    @Rule("PC-78")
    @Explore(schedules = 10_000)
    void noAssertionOfALineIsLost(Execution execution) throws Exception {
        try (Machine machine = new Machine(execution)) {
            TestDevice device = machine.type.last();
            AtomicInteger handled = new AtomicInteger();
            Runnable handler =
                    () -> {
                        device.slot.interrupts().intx(false);
                        handled.incrementAndGet();
                    };
            AutoCloseable taken = machine.function.requestInterrupt(0, handler);
            EmulatedThread engine =
                    execution.start(
                            ThreadKind.BLOCKING,
                            "engine",
                            () -> {
                                for (int i = 1; i <= 3; i++) {
                                    device.slot.interrupts().intx(true);
                                    await(execution, handled, i);
                                }
                            });
            engine.join();
            taken.close();
            assertThat(handled).hasValue(3);
            device.slot.interrupts().intx(true);
            execution.sleep(1000);
            assertThat(handled).as("after it was taken back").hasValue(3);
        }
    }

    @Rule("PC-65")
    @Explore(schedules = 10_000)
    void aDriverThatTakesTheLineBringsNoBusMasterBack(Execution execution) throws Exception {
        try (Machine machine = new Machine(execution)) {
            machine.function.enable(true, true);
            EmulatedThread other =
                    execution.start(
                            ThreadKind.BLOCKING,
                            "other",
                            () -> machine.function.requestInterrupt(0, () -> {}));
            machine.function.enable(true, false);
            other.join();
            assertThat(machine.function.readConfig(0x04, 2)).isEqualTo(0x0002);
        }
    }

    private static void await(Execution execution, AtomicInteger count, int least) {
        while (count.get() < least) {
            try {
                execution.sleep(1000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
