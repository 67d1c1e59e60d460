package org.peerlane.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.Work;

@DisplayName("peerlane:status")
class StatusCommandTest {
    @Test
    void countsThreadsAndTimersByBundle() {
        List<Work> work =
                List.of(
                        new Work("org.peerlane.shell", Work.Kind.THREAD, "shell.script"),
                        new Work("org.peerlane.bus.pcie", Work.Kind.THREAD, "bus.life-cycle"),
                        new Work("org.peerlane.bus.pcie", Work.Kind.THREAD, "bus.interrupts"),
                        new Work("org.example", Work.Kind.TIMER, "tick"));
        assertThat(StatusCommand.count(work, Work.Kind.THREAD)).isEqualTo("3: bus.pcie 2, shell 1");
        assertThat(StatusCommand.count(work, Work.Kind.TIMER)).isEqualTo("1: org.example 1");
        assertThat(StatusCommand.count(List.of(), Work.Kind.TIMER)).isEqualTo("none");
    }
}
