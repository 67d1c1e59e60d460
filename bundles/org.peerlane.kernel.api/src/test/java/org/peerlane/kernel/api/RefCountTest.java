package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Reference count")
class RefCountTest {
    private final AtomicInteger released = new AtomicInteger();
    private final RefCount count = new RefCount("buffer 7", released::incrementAndGet);

    @Test
    void theLastPutReleasesOnce() {
        count.get();
        assertThat(count.put()).isFalse();
        assertThat(released).hasValue(0);
        assertThat(count.put()).isTrue();
        assertThat(released).hasValue(1);
    }

    @Test
    void aReleasedObjectCannotBeHeldAgain() {
        count.put();
        assertThat(count.getUnlessZero()).isFalse();
        assertThatIllegalStateException().isThrownBy(count::get).withMessageContaining("buffer 7");
    }

    @Test
    void onePutTooManyIsReportedAndReleasesNothing() {
        count.put();
        assertThatIllegalStateException().isThrownBy(count::put).withMessageContaining("buffer 7");
        assertThat(released).hasValue(1);
        assertThat(count.count()).isZero();
    }

    @Test
    void theLastHolderStaysIfItMayNotRelease() {
        count.get();
        assertThat(count.putUnlessLast()).isTrue();
        assertThat(count.putUnlessLast()).isFalse();
        assertThat(count.count()).isEqualTo(1);
        assertThat(released).hasValue(0);
        count.put();
        assertThatIllegalStateException()
                .isThrownBy(count::putUnlessLast)
                .withMessageContaining("buffer 7");
    }
}
