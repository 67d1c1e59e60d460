package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Resets and bus master off against DMA")
class ResetRaceTest {
    private static final int OURS = 0x5A;
    private static final List<PortConfig> PORT =
            List.of(new PortConfig("rp0", "00:01.0", 0, true, true));

    private static void afterReset(Execution execution, boolean whole) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            Card card = rig.plug("card", "rp0");
            PcieFunction function = rig.function("card");
            long page = rig.page(0);
            card.engine(() -> {
                for (int i = 0; i < 4 && !card.stopping; i++) {
                    card.write(page + 32, 0xEE, 64);
                }
            });
            if (whole) {
                Registers.resetBelow(rig.function("rp0"));
            } else {
                Registers.reset(function);
            }
            rig.fill(page, OURS);
            function.enable(true, true);
            assertThat(card.resets).hasSize(1);
            assertThat(card.writeStatus(page + 0x800, OURS, 8)).isEqualTo(DmaResult.OK);
            rig.empty();
            rig.expect(page, OURS, "of the life before the reset");
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-62")
    @Rule("ER-33")
    void nothingFromBeforeAFunctionLevelResetArrivesAfterIt(Execution execution) {
        afterReset(execution, false);
    }

    @Explore(schedules = 10_000)
    @Rule("PC-62")
    @Rule("PC-63")
    void nothingFromBeforeASecondaryBusResetArrivesAfterIt(Execution execution) {
        afterReset(execution, true);
    }

    @Explore(schedules = 10_000)
    @Rule("PC-62")
    void aReadFromBeforeAResetBringsNothingOfAfterIt(Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            Card card = rig.plug("card", "rp0");
            long page = rig.page(0);
            byte[] seen = new byte[64];
            // none that the card's reset waits for: the bus must
            EmulatedThread engine = rig.thread("engine", () -> card.read(page, seen));
            Registers.reset(rig.function("card"));
            rig.fill(page, OURS);
            Rig.join(engine);
            assertThat(seen).containsOnly(0);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-62")
    void nothingFromAPeerIsOnItsWayToADeviceThatHasBeenReset(Execution execution) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, false)) {
            Card target = rig.plug("target", "sw0.0");
            Card writer = rig.plug("writer", "sw0.1");
            long bar = rig.function("target").bar(2).first().value();
            EmulatedThread engine =
                    writer.engine(() -> {
                        for (int i = 0; i < 3; i++) {
                            writer.write(bar + i, 0xEE, 1);
                        }
                    });
            Registers.reset(rig.function("target"));
            target.vram.fill((byte) OURS);
            Rig.join(engine);
            rig.empty();
            for (int i = 0; i < 3; i++) {
                assertThat(target.vram.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) OURS);
            }
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-65")
    void whatWasPostedBeforeBusMasterOffArrivesAndNothingElse(Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            Card card = rig.plug("card", "rp0");
            PcieFunction function = rig.function("card");
            long page = rig.page(0);
            boolean[] posted = new boolean[3];
            boolean[] off = new boolean[1];
            boolean[] late = new boolean[1];
            EmulatedThread engine =
                    card.engine(() -> {
                        for (int i = 0; i < 3; i++) {
                            boolean begunAfter = off[0];
                            int status = card.writeStatus(page + i, 1, 1);
                            posted[i] = status == DmaResult.OK;
                            late[0] |= begunAfter && status != DmaResult.BUS_MASTER_OFF;
                        }
                    });
            function.enable(true, false);
            off[0] = true;
            Rig.join(engine);
            rig.empty();
            assertThat(late[0]).isFalse();
            for (int i = 0; i < 3; i++) {
                assertThat(rig.at(page + i)).isEqualTo((byte) (posted[i] ? 1 : 0));
            }
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-63")
    void twoSecondaryBusResetsAtOnceLeaveADeviceThatWorks(Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            Card card = rig.plug("card", "rp0");
            PcieFunction port = rig.function("rp0");
            long page = rig.page(0);
            EmulatedThread other = rig.thread("other", () -> Registers.resetBelow(port));
            Registers.resetBelow(port);
            Rig.join(other);
            port.writeConfig(Registers.BRIDGE_CONTROL, 2, 0);
            assertThat(card.resets).isNotEmpty();
            assertThat(card.wrong).isNull();
            rig.function("card").enable(true, true);
            assertThat(card.writeStatus(page, OURS, 8)).isEqualTo(DmaResult.OK);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PC-61")
    void twoFunctionLevelResetsAndASecondaryOneAtOnceLeaveADeviceThatWorks(Execution execution) {
        try (Rig rig = new Rig(execution, PORT, false)) {
            Card card = rig.plug("card", "rp0");
            PcieFunction function = rig.function("card");
            long page = rig.page(0);
            EmulatedThread one = rig.thread("one", () -> Registers.reset(function));
            EmulatedThread two = rig.thread("two", () -> Registers.resetBelow(rig.function("rp0")));
            Registers.reset(function);
            Rig.join(one);
            Rig.join(two);
            assertThat(card.resets).isNotEmpty();
            assertThat(card.wrong).isNull();
            function.enable(true, true);
            assertThat(card.writeStatus(page, OURS, 8)).isEqualTo(DmaResult.OK);
        }
    }
}
