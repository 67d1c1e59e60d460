package org.peerlane.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.exec.api.Simulator.Deadlock;
import org.peerlane.exec.api.Simulator.Program;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Exploration.Result;

@DisplayName("Exploration of planted bugs")
class PlantedBugsTest {
    private static final int SCHEDULES = 10_000;
    private static final int LIVE_RUNS = 100;

    static Stream<Arguments> bugs() {
        return Stream.of(
                Arguments.of(
                        "lost wake-up",
                        PlantedBugs.lostWakeUp(false),
                        PlantedBugs.lostWakeUp(true)),
                Arguments.of("AB-BA", PlantedBugs.abBa(false), PlantedBugs.abBa(true)),
                Arguments.of(
                        "lost update", PlantedBugs.lostUpdate(false), PlantedBugs.lostUpdate(true)),
                Arguments.of(
                        "wait under a lock",
                        PlantedBugs.waitUnderALock(false),
                        PlantedBugs.waitUnderALock(true)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bugs")
    void isFound(String name, Program bug, Program mended) throws InterruptedException {
        Result result = Exploration.of(SCHEDULES).run(bug);

        int live = 0;
        for (int i = 0; i < LIVE_RUNS && live < 3; i++) {
            try (var execution = new LiveExecution("planted")) {
                live += PlantedBugs.passesLive(execution, bug) ? 0 : 1;
            }
        }
        System.out.printf(
                "%s: found in schedule %d; live at least %d times in up to %d runs%n",
                name, result.schedules(), live, LIVE_RUNS);
        assertThat(result.passed()).as(name).isFalse();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bugs")
    void isNotFoundWhereItIsMended(String name, Program bug, Program mended) {
        Exploration.of(SCHEDULES).run(mended).assertPassed();
    }

    @Test
    void aDeadlockSaysWhoWaitsForWhat() {
        Result result = Exploration.of(SCHEDULES).run(PlantedBugs.abBa(false));
        assertThat(result.failed()).isNotNull();
        assertThat(result.failed().failure())
                .isInstanceOf(Deadlock.class)
                .hasMessageContaining("main waits for the end of one")
                .hasMessageContaining("one waits for lock B, which two holds")
                .hasMessageContaining("two waits for lock A, which one holds");
        assertThat(result.report()).contains("@Explore(seed = " + result.failed().seed() + ")");
    }

    @Test
    void aLostSignalSaysWhichConditionIsWaitedFor() {
        Result result = Exploration.of(SCHEDULES).run(PlantedBugs.lostWakeUp(false));
        assertThat(result.failed()).isNotNull();
        assertThat(result.failed().failure())
                .hasMessageContaining("consumer waits for a signal of mailbox.filled");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bugs")
    void replayIsEqualToTheByte(String name, Program bug, Program mended) {
        Result first = Exploration.of(SCHEDULES).run(bug);
        assertThat(first.failed()).isNotNull();
        Result again = Exploration.ofSeed(first.failed().seed()).run(bug);
        assertThat(again.failed()).isNotNull();
        assertThat(String.join("\n", again.failed().log()))
                .isEqualTo(String.join("\n", first.failed().log()));
        assertThat(again.failed().failure()).hasToString(first.failed().failure().toString());
    }
}
