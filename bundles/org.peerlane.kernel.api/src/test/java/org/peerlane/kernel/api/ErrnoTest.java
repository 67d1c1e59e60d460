package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Errno")
class ErrnoTest {
    /** The numbers of the rule documents' tables, for x86-64. */
    @ParameterizedTest
    @CsvSource({
        "EPERM, 1",
        "ENOENT, 2",
        "EINTR, 4",
        "ENXIO, 6",
        "EBADF, 9",
        "EAGAIN, 11",
        "ENOMEM, 12",
        "EFAULT, 14",
        "EBUSY, 16",
        "EEXIST, 17",
        "ENODEV, 19",
        "EINVAL, 22",
        "ENOTTY, 25",
        "ENOSPC, 28",
        "EDEADLK, 35",
        "EBADE, 52",
        "ETIME, 62",
        "EOVERFLOW, 75",
        "EBADFD, 77",
        "EMSGSIZE, 90",
        "EOPNOTSUPP, 95",
        "EADDRINUSE, 98",
        "ETIMEDOUT, 110",
        "EALREADY, 114",
        "ERESTARTSYS, 512",
    })
    void hasTheNumberOfTheKernel(Errno errno, int number) {
        assertThat(errno.number()).isEqualTo(number);
        assertThat(Errno.of(number)).isEqualTo(errno);
    }

    @Test
    void anUnknownNumberIsNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Errno.of(4711))
                .withMessageContaining("4711");
    }

    @Test
    void theMessageHasTheNameAndTheSentence() {
        var e = new ErrnoException(Errno.ENODEV, "edu0 has left the bus");
        assertThat(e).hasMessage("ENODEV: edu0 has left the bus");
        assertThat(e.sentence()).isEqualTo("edu0 has left the bus");
    }
}
