package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.BusEvents;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Decoders against DMA of a peer")
class DecodeRaceTest {
    private static final byte OURS = 0x5A;
    private static final int WRITES = 3;

    /**
     * Closes the way while a peer writes.
     *
     * @param close is given the target and the port above it
     */
    private static void race(
            Execution execution,
            BiConsumer<PcieFunction, PcieFunction> close,
            boolean comesBack,
            boolean drains) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, false)) {
            Card target = rig.plug("target", "sw0.0");
            Card writer = rig.plug("writer", "sw0.1");
            PcieFunction function = rig.function("target");
            long bar = function.bar(2).first().value();
            rig.trace();
            EmulatedThread engine =
                    writer.engine(() -> {
                        for (int i = 0; i < WRITES; i++) {
                            assertThat(writer.writeStatus(bar + i, 0xEE, 1))
                                    .isEqualTo(DmaResult.OK);
                        }
                    });
            close.accept(function, rig.function("sw0.0"));
            Rig.join(engine);
            if (drains) { // reads take another way now
                rig.root.drainAll();
            } else {
                assertThat(writer.read(bar, new byte[0])).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
            }
            target.vram.fill(OURS);
            assertThat(writer.writeStatus(bar, 0xEE, 1)).isEqualTo(DmaResult.OK);
            if (comesBack) {
                long now = Registers.base(function, 2);
                assertThat(writer.writeStatus(now + 64, 0x11, 1)).isEqualTo(DmaResult.OK);
                assertThat(writer.read(now + 64, new byte[0])).isEqualTo(DmaResult.OK);
            }
            writer.read(bar, new byte[0]);
            rig.root.pull("writer"); // whatever it had posted has arrived
            rig.empty();
            for (int i = 0; i < WRITES; i++) {
                assertThat(target.vram.get(ValueLayout.JAVA_BYTE, i)).isEqualTo(OURS);
            }
            assertThat(target.vram.get(ValueLayout.JAVA_BYTE, 64))
                    .isEqualTo(comesBack ? 0x11 : OURS);
            // nothing is lost without a word
            int landed = rig.events(BusEvents.DmaWrite.class).size();
            int lost = rig.events(BusEvents.DmaLost.class).size();
            assertThat(landed + lost).isEqualTo(WRITES + (comesBack ? 2 : 1));
        }
    }

    @Explore(schedules = 10_000)
    @Rule("ER-40")
    void onceABarHasMovedAndThePathIsFlushedNothingArrivesAtItsOldPlace(Execution execution) {
        race(
                execution,
                (function, port) -> {
                    long base = Registers.base(function, 2) + 0x4_0000;
                    function.writeConfig(Registers.BAR0 + 8, 4, base);
                    function.writeConfig(Registers.BAR0 + 12, 4, base >>> 32); // PC-15
                },
                true,
                false);
    }

    @Explore(schedules = 10_000)
    @Rule("PC-17")
    @Rule("ER-46")
    @Rule("IM-23")
    void onceMemoryDecodeIsOffAndThePathIsFlushedNothingArrives(Execution execution) {
        race(execution, (function, port) -> function.enable(false, true), false, false);
    }

    @Explore(schedules = 10_000)
    @Rule("PC-42")
    @Rule("PC-47")
    void onceTheWindowOfAPortIsClosedAndWhatWasUnderWayHasDrainedNothingArrives(
            Execution execution) {
        race(
                execution,
                (function, port) -> port.writeConfig(Registers.PREFETCH_WINDOW, 4, 0x0001_FFF1L),
                false,
                true);
    }

    @Explore(schedules = 10_000)
    @Rule("PC-3")
    @Rule("ER-39")
    void writesOfDifferentRegistersAtOnceAllTakeEffect(Execution execution) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, false)) {
            Card card = rig.plug("card", "sw0.0");
            PcieFunction function = rig.function("card");
            PcieFunction port = rig.function("sw0.0");
            long page = rig.page(0);
            EmulatedThread one =
                    rig.thread(
                            "one",
                            () -> {
                                function.writeConfig(Registers.COMMAND, 1, 0);
                                function.enable(false, true); // keeps what it does not set
                                port.enable(true, true);
                                port.writeConfig(0x3C, 1, 0x0B);
                            });
            EmulatedThread two =
                    rig.thread(
                            "two",
                            () -> {
                                function.writeConfig(0x3C, 1, 0x0A);
                                function.writeConfig(Registers.COMMAND + 1, 1, 4);
                                port.writeConfig(Registers.COMMAND + 1, 1, 1);
                                port.writeConfig(Registers.BRIDGE_CONTROL, 1, 2);
                            });
            Rig.join(one);
            Rig.join(two);
            assertThat(function.readConfig(Registers.COMMAND, 2)).isEqualTo(0x404);
            assertThat(port.readConfig(Registers.COMMAND, 2)).isEqualTo(0x106);
            assertThat(function.readConfig(0x3C, 1)).isEqualTo(0x0A);
            assertThat(port.readConfig(0x3C, 1)).isEqualTo(0x0B);
            assertThat(card.writeStatus(page, 1, 1)).isEqualTo(DmaResult.OK);
            assertThat(function.read(2, 0, 1)).isEqualTo(0xFF); // memory decode is off
        }
    }
}
