package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.testkit.Exploration;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Order of posted writes")
class OrderTest {
    private static final int LOOKS = 8;

    /** How the device makes sure of the order. */
    private enum Flush {
        NONE,
        READ,
        EMPTY_READ
    }

    @Explore(schedules = 10_000)
    @Rule("PC-71")
    void onOnePathAFlagNeverComesBeforeItsData(Execution execution) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, false)) {
            Card card = rig.plug("card", "sw0.1");
            long data = rig.page(0);
            long flag = rig.page(0);
            EmulatedThread engine =
                    card.engine(() -> {
                        card.write(data, 1, 64);
                        card.write(flag, 1, 1);
                    });
            for (int i = 0; i < LOOKS; i++) {
                if (rig.at(flag) == 1) {
                    assertThat(rig.at(data + 63)).isEqualTo((byte) 1);
                }
                pause(execution);
            }
            Rig.join(engine);
        }
    }

    private static void pause(Execution execution) {
        try {
            execution.sleep(0);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** {@return 1: the flag was seen without its data; 2: the data without the flag; both: 3} */
    private static int seen(Execution execution, Flush flush) {
        int seen = 0;
        try (Rig rig = new Rig(execution, Rig.SWITCH, false)) {
            Card target = rig.plug("target", "sw0.0");
            Card card = rig.plug("card", "sw0.1");
            long data = rig.function("target").bar(2).first().value();
            long flag = rig.page(0);
            EmulatedThread engine =
                    card.engine(() -> {
                        card.write(data, 1, 64);
                        if (flush != Flush.NONE) {
                            byte[] read = new byte[flush == Flush.READ ? 1 : 0];
                            assertThat(card.read(data, read)).isEqualTo(DmaResult.OK);
                        }
                        card.write(flag, 1, 1);
                    });
            for (int i = 0; i < LOOKS; i++) {
                boolean flagSeen = rig.at(flag) == 1;
                boolean dataSeen = target.vram.get(ValueLayout.JAVA_BYTE, 63) == 1;
                seen |= flagSeen && !dataSeen ? 1 : 0;
                seen |= dataSeen && !flagSeen ? 2 : 0;
                pause(execution);
            }
            Rig.join(engine);
        }
        return seen;
    }

    @Test
    @Rule("PC-72")
    void betweenPathsBothOrdersOccur() {
        int[] orders = new int[1];
        Exploration.Result result =
                Exploration.of(1_000).run(execution -> orders[0] |= seen(execution, Flush.NONE));
        assertThat(result.found()).as(result.report()).isFalse();
        assertThat(orders[0]).isEqualTo(3);
    }

    @Explore(schedules = 10_000)
    @Rule("PC-72")
    void aReadBackFromThePeerBringsItsDataBeforeTheFlag(Execution execution) {
        assertThat(seen(execution, Flush.READ) & 1).isZero();
    }

    @Explore(schedules = 10_000)
    @Rule("PC-75")
    void aReadOfNoBytesFlushesAsWell(Execution execution) {
        assertThat(seen(execution, Flush.EMPTY_READ) & 1).isZero();
    }
}
