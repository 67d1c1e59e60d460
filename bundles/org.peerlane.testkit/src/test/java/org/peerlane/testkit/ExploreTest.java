package org.peerlane.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;

@DisplayName("@Explore")
class ExploreTest {
    private static int runs;

    @AfterEach
    void forget() {
        runs = 0;
        System.clearProperty("peerlane.seed");
        System.clearProperty(Exploration.SCALE);
    }

    /** Not run by itself: its name has no Test. */
    static class Sample {
        @Explore(schedules = 50)
        void passes(Execution execution) throws InterruptedException {
            runs++;
            execution.sleep(1);
        }

        @Explore(schedules = 1_000)
        void losesAnUpdate(Execution execution) throws InterruptedException {
            lose(execution);
        }

        @Explore(seed = 77)
        void replays(Execution execution) {
            runs++;
            throw new IllegalStateException("planted");
        }

        @Explore(schedules = 50)
        void isNotForThisMachine(Execution execution) {
            runs++;
            Assumptions.abort("another machine");
        }

        @Explore(schedules = 50, stepLimit = 10)
        void spins(Execution execution) throws InterruptedException {
            while (execution.nanoTime() >= 0) {
                execution.sleep(0);
            }
        }

        @Explore
        void takesNothing() {}

        private static void lose(Execution execution) throws InterruptedException {
            Checkpoint between = execution.checkpoint("sample.between");
            int[] value = new int[1];
            Runnable increment =
                    () -> {
                        int read = value[0];
                        between.reached();
                        value[0] = read + 1;
                    };
            EmulatedThread other = execution.start(ThreadKind.BLOCKING, "other", increment);
            increment.run();
            other.join();
            assertThat(value[0]).isEqualTo(2);
        }
    }

    @Test
    void theBodyRunsOncePerScheduleAndIsOneTest() {
        run("passes", Execution.class).testEvents().assertStatistics(s -> s.succeeded(1).failed(0));
        double scale = Double.parseDouble(System.getProperty(Exploration.SCALE, "1"));
        assertThat(runs).isEqualTo((int) Math.max(1, 50 * scale));
    }

    @Test
    void aFailureNamesSeedReplayAndLastSteps() {
        String message = message(failure("losesAnUpdate"));
        assertThat(message)
                .contains("THROWN")
                .containsPattern("replay: @Explore\\(seed = \\d+L\\), or -Dpeerlane.seed=\\d+")
                .contains("main at sample.between", "other at sample.between", "other end")
                .contains("thread main threw");
    }

    @Test
    void theSeedOfAFailureReplaysItFromTheCommandLine() {
        String message = message(failure("losesAnUpdate"));
        String seed = message.replaceAll("(?s).*-Dpeerlane.seed=(\\d+).*", "$1");
        System.setProperty("peerlane.seed", seed);
        String again = message(failure("losesAnUpdate"));
        assertThat(again).startsWith("schedule 1 failed, seed " + seed);
        assertThat(afterFirstLine(again)).isEqualTo(afterFirstLine(message));
    }

    private static String message(AssertionError failure) {
        return Objects.requireNonNull(failure.getMessage());
    }

    private static String afterFirstLine(String message) {
        return message.substring(message.indexOf('\n'));
    }

    @Test
    void aGivenSeedRunsOnceAndKeepsTheCause() {
        AssertionError failure = failure("replays");
        assertThat(failure).hasMessageContaining("seed 77");
        assertThat(failure.getCause()).isInstanceOf(IllegalStateException.class);
        assertThat(runs).isEqualTo(1);
    }

    @Test
    void theScaleMakesAShortAndALongForm() {
        System.setProperty(Exploration.SCALE, "0.1");
        run("passes", Execution.class);
        assertThat(runs).isEqualTo(5);
        System.setProperty(Exploration.SCALE, "0.0001");
        run("passes", Execution.class);
        assertThat(runs).isEqualTo(6);
    }

    @Test
    void aScaleThatIsNoFactorIsRefused() {
        System.setProperty(Exploration.SCALE, "long");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Exploration.of(1).scaled())
                .withMessageContaining("peerlane.explore.scale=long");
    }

    @Test
    void anAssumptionThatFailsSkipsTheTest() {
        run("isNotForThisMachine", Execution.class)
                .testEvents()
                .assertStatistics(s -> s.aborted(1));
        assertThat(runs).isEqualTo(1);
    }

    @Test
    void theStepLimitIsTheTests() {
        assertThat(failure("spins"))
                .hasMessageContaining("LIVELOCK")
                .hasMessageContaining("10 steps");
    }

    @Test
    void aMethodThatTakesNoExecutionIsRefused() {
        assertThat(run("takesNothing").allEvents().failed().stream()).isNotEmpty();
    }

    private static AssertionError failure(String method) {
        Optional<Throwable> thrown =
                run(method, Execution.class).testEvents().failed().stream()
                        .findFirst()
                        .flatMap(event -> event.getPayload(TestExecutionResult.class))
                        .flatMap(TestExecutionResult::getThrowable);
        return (AssertionError) thrown.orElseThrow();
    }

    private static EngineExecutionResults run(String method, Class<?>... parameters) {
        return EngineTestKit.engine("junit-jupiter")
                .selectors(selectMethod(Sample.class, method, parameters))
                .execute();
    }
}
