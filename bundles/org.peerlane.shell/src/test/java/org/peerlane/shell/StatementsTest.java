package org.peerlane.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The statements of a script")
class StatementsTest {
    @Test
    void endAtSemicolonsAndLines() {
        assertThat(Statements.of("lb; peerlane:status\nedu:list ;; \n"))
                .containsExactly("lb", "peerlane:status", "edu:list");
    }

    @Test
    void keepQuotesTogether() {
        assertThat(Statements.of("echo 'a;b' \"c;d\"; echo it\\'s; echo 'a\\'; lb"))
                .containsExactly("echo 'a;b' \"c;d\"", "echo it\\'s", "echo 'a\\'", "lb");
    }

    @Test
    void keepBlocksAndPipesTogether() {
        assertThat(Statements.of("each [1 2] { echo $it; echo x }; status | grep a"))
                .containsExactly("each [1 2] { echo $it; echo x }", "status | grep a");
    }

    @Test
    void leaveCommentsOut() {
        assertThat(Statements.of("# what follows\nlb\n  # done")).containsExactly("lb");
    }
}
