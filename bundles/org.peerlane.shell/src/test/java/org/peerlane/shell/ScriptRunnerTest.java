package org.peerlane.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

@DisplayName("A failing command")
class ScriptRunnerTest {
    @Test
    void saysItsErrnoAndSentence() {
        var failure = new ErrnoException(Errno.EINVAL, "size 0; expected more");
        assertThat(ScriptRunner.sentence(new InvocationTargetException(failure)))
                .isEqualTo("EINVAL: size 0; expected more");
    }

    @Test
    void saysOneLineOnly() {
        assertThat(ScriptRunner.sentence(new IllegalStateException("\nno way out\nat all")))
                .isEqualTo("no way out");
    }

    @Test
    void namesItsKindWhereTheMessageIsOneWordOrNone() {
        assertThat(ScriptRunner.sentence(new NoSuchFileException("a.txt")))
                .isEqualTo("NoSuchFileException: a.txt");
        assertThat(ScriptRunner.sentence(new NullPointerException()))
                .isEqualTo("NullPointerException");
    }
}
