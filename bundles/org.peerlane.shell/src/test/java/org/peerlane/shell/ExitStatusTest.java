package org.peerlane.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The exit status")
class ExitStatusTest {
    @Test
    void isTheFirstOneSaid() throws Exception {
        var status = new ExitStatus();
        status.set(1);
        status.set(0);
        assertThat(status.call()).isEqualTo(1);
    }
}
