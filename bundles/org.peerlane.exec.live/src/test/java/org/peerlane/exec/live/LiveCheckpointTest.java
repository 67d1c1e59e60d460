package org.peerlane.exec.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints.Armed;

@DisplayName("Live checkpoint")
class LiveCheckpointTest {
    private static final String NAME = "nvme.submit.after-map";
    private final LiveExecution execution = new LiveExecution("test.bundle");
    private final List<String> ran = new ArrayList<>();

    @AfterEach
    void close() {
        execution.close();
    }

    @Test
    void oneNameIsOneCheckpoint() {
        assertThat(execution.checkpoint(NAME)).isSameAs(execution.checkpoint(NAME));
        assertThat(execution.checkpoint(NAME).name()).isEqualTo(NAME);
    }

    @Test
    void armedActionsRunInTheOrderTheyCameUntilDisarmed() {
        Checkpoint point = execution.checkpoint(NAME);
        point.reached();
        Armed first = execution.checkpoints().arm(NAME, () -> ran.add("first"));
        Armed second = execution.checkpoints().arm(NAME, () -> ran.add("second"));
        point.reached();
        first.close();
        point.reached();
        second.close();
        point.reached();
        assertThat(ran).containsExactly("first", "second", "second");
        assertThat(first.hits()).isEqualTo(1);
        assertThat(second.hits()).isEqualTo(2);
    }

    @Test
    void aCheckpointCanBeArmedBeforeAnybodyAsksForIt() {
        Armed armed = execution.checkpoints().arm(NAME, () -> {});
        assertThat(execution.checkpoints().names()).isEmpty();
        execution.checkpoint(NAME).reached();
        assertThat(armed.hits()).isEqualTo(1);
        assertThat(execution.checkpoints().names()).containsExactly(NAME);
    }

    @Test
    void anActionMayDisarmItself() {
        Armed[] once = new Armed[1];
        once[0] =
                execution
                        .checkpoints()
                        .arm(
                                NAME,
                                () -> {
                                    ran.add("once");
                                    once[0].close();
                                });
        execution.checkpoint(NAME).reached();
        execution.checkpoint(NAME).reached();
        assertThat(ran).containsExactly("once");
    }

    @Test
    void whatAnActionThrowsComesOutOfTheCheckpoint() {
        execution
                .checkpoints()
                .arm(
                        NAME,
                        () -> {
                            throw new IllegalStateException("planted");
                        });
        assertThatIllegalStateException()
                .isThrownBy(() -> execution.checkpoint(NAME).reached())
                .withMessage("planted");
    }

    @Test
    void closingAnExecutionDisarmsWhatItArmed() {
        Checkpoint point = execution.checkpoint(NAME);
        execution.checkpoints().arm(NAME, () -> ran.add("ran"));
        execution.close();
        point.reached();
        assertThat(ran).isEmpty();
    }
}
