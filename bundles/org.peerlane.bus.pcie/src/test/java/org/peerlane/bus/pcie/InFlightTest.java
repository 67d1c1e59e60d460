package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.WatchedExecution;

@DisplayName("Counting what is in flight")
class InFlightTest {
    private final InFlight inFlight =
            new InFlight(new WatchedExecution(new LiveExecution("test")), "test");

    @Test
    void aDrainWaitsForThoseBeforeItAndNotForThoseAfterIt() throws Exception {
        for (int round = 0; round < 6; round++) { // each phase, shared and by the owner
            int before = inFlight.enter();
            Thread drain = Thread.ofPlatform().start(inFlight::drain);
            while (drain.getState() != Thread.State.WAITING
                    && drain.getState() != Thread.State.TIMED_WAITING) {
                assertThat(drain.isAlive()).as("waits for the one before").isTrue();
                Thread.onSpinWait();
            }
            int after = inFlight.enter();
            inFlight.exit(before);
            assertThat(drain.join(Duration.ofSeconds(10))).isTrue();
            inFlight.exit(after);
        }
    }

    @Test
    void withNobodyInFlightADrainReturns() {
        inFlight.exit(inFlight.enter());
        inFlight.drain();
        inFlight.drain();
        inFlight.exit(inFlight.enter()); // by the owner now
        inFlight.drain();
    }
}
