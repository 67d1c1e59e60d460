package org.peerlane.testkit.planted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Schedule.Verdict;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Exploration;
import org.peerlane.testkit.Exploration.Result;

/** Exploration finds each planted bug within 10,000 schedules, and nothing in the correct forms. */
@DisplayName("Planted bugs")
class PlantedBugsTest {
    private static final int SCHEDULES = 10_000;
    private static final int RATE_SCHEDULES = 1_000;
    private static final int LIVE_RUNS = 1_000;
    private static final int LIVE_HANGS = 5; // each costs its time limit
    private static final long LIVE_LIMIT = 2_000_000_000;

    static Stream<Arguments> planted() {
        return Stream.of(
                arguments("lost update in two sections", Programs.counter(true), Verdict.THROWN),
                arguments("locks in either order", Programs.twoLocks(true), Verdict.DEADLOCK),
                arguments("lost wake-up", Programs.wakeUp(true), Verdict.DEADLOCK),
                arguments("signal to the wrong side", Programs.buffer(true), Verdict.DEADLOCK),
                arguments("ring between look and wait", Programs.doorbell(true), Verdict.DEADLOCK),
                arguments("read and write without lock", Programs.ticket(true), Verdict.THROWN));
    }

    static Stream<Arguments> correct() {
        return Stream.of(
                arguments("update in one section", Programs.counter(false)),
                arguments("locks in one order", Programs.twoLocks(false)),
                arguments("wait in a loop", Programs.wakeUp(false)),
                arguments("signal to all", Programs.buffer(false)),
                arguments("wait at the doorbell, then look", Programs.doorbell(false)),
                arguments("read and write under a lock", Programs.ticket(false)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("planted")
    void isFoundAndReplaysByteForByte(String name, Program program, Verdict verdict)
            throws InterruptedException {
        Result result = Exploration.of(SCHEDULES).run(program::run);
        assertThat(result.found()).as(name).isTrue();
        Schedule found = result.failed().orElseThrow();
        assertThat(found.verdict()).isEqualTo(verdict);
        assertThat(result.report())
                .contains("@Explore(seed = " + found.seed() + "L)")
                .contains("-Dpeerlane.seed=" + found.seed())
                .contains("steps:");

        Result again = Exploration.replay(found.seed()).run(program::run);
        assertThat(again.failed().orElseThrow().log()).isEqualTo(found.log());
        assertThat(again.failed().orElseThrow().report()).isEqualTo(found.report());

        System.out.printf(
                "%s: found in schedule %d, and in %d of %d; live running showed it %s%n",
                name,
                result.schedules(),
                failuresIn(program),
                RATE_SCHEDULES,
                liveFailures(program));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("correct")
    void isNotSeenInTheCorrectProgram(String name, Program program) {
        Result result = Exploration.of(SCHEDULES).run(program::run);
        assertThat(result.found()).as("%s: %s", name, result.report()).isFalse();
        assertThat(result.schedules()).isEqualTo(SCHEDULES);
    }

    @Test
    void aDeadlockOnLocksNamesTheCycle() {
        String report = Exploration.of(SCHEDULES).run(Programs.twoLocks(true)::run).report();
        assertThat(report)
                .contains("main waits for thread ", " to end at ")
                .contains("a waits for lock B#2, owned by b at ")
                .contains("b waits for lock A#1, owned by a at ")
                .contains("cycle: a -> b -> a");
    }

    @Test
    void aDeadlockOnConditionsNamesThemAndTheirLock() {
        String report = Exploration.of(SCHEDULES).run(Programs.buffer(true)::run).report();
        assertThat(report)
                .contains(" waits for condition buffer#1.changed (lock buffer#1, free) at ")
                .contains("Programs.java");
        assertThat(report.lines().filter(line -> line.contains("buffer#1.changed (")))
                .hasSizeGreaterThanOrEqualTo(1);
    }

    private static int failuresIn(Program program) {
        int failures = 0;
        for (long seed = 1; seed <= RATE_SCHEDULES; seed++) {
            failures += Exploration.replay(seed).run(program::run).found() ? 1 : 0;
        }
        return failures;
    }

    private static String liveFailures(Program program) throws InterruptedException {
        int runs = 0;
        int wrong = 0;
        try (LiveExecution execution = new LiveExecution("live")) {
            while (runs < LIVE_RUNS && wrong < LIVE_HANGS) {
                runs++;
                wrong += program.runLive(execution, LIVE_LIMIT) ? 0 : 1;
            }
        }
        return wrong + " times in " + runs + " runs";
    }
}
