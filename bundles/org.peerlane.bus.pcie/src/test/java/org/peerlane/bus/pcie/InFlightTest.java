package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.WatchedExecution;

@DisplayName("Counting what is in flight")
class InFlightTest {
    private static final int ROUNDS = 30_000;
    private static final int BURST = 1_000;
    private static final int INSIDE = 5;
    private static final int OPEN = 0;
    private static final int CLOSED = 1;

    private final InFlight inFlight =
            new InFlight(new WatchedExecution(new LiveExecution("test")), "test");

    @Test
    void aDrainWaitsForThoseBeforeItAndNotForThoseAfterIt() throws Exception {
        for (int round = 0; round < 6; round++) { // each phase, shared and by the owner
            int before = inFlight.enter();
            Thread drain = Thread.ofPlatform().start(inFlight::drain);
            Await.untilWaits(drain); // for the one before
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

    /**
     * The owner comes in and looks at the door; another closes the door and looks for the owner.
     * One of the two must see the other, which on hardware takes the owner's fence. Whatever the
     * owner leaves behind once it has seen the door open is there when the drain returns.
     */
    @Test
    @Rule("PC-62")
    void theOwnerSeesTheDoorClosedOrIsWaitedFor() throws Exception {
        Rounds rounds = new Rounds();
        Thread owner = Thread.ofPlatform().start(() -> own(rounds));
        int late = 0;
        for (int round = 1; round <= ROUNDS; round++) {
            rounds.door = OPEN;
            rounds.trace = 0;
            rounds.begun = round;
            for (int looks = 0; rounds.ready != round; looks++) {
                Await.pause("the owner's round", looks);
            }
            rounds.door = CLOSED;
            inFlight.drain();
            long left = rounds.trace;
            for (int looks = 0; rounds.ended != round; looks++) {
                Await.pause("the end of the owner's round", looks);
            }
            late += left == rounds.trace ? 0 : 1;
        }
        owner.join();
        assertThat(late).as("rounds with an owner that nobody waited for").isZero();
    }

    private void own(Rounds rounds) {
        inFlight.exit(inFlight.enter()); // from the next time on it is the owner
        for (int round = 1; round <= ROUNDS; round++) {
            for (int looks = 0; rounds.begun != round; looks++) {
                Await.pause("the next round", looks);
            }
            rounds.ready = round;
            for (int i = 0; i < BURST; i++) {
                int section = inFlight.enter();
                boolean open = rounds.door == OPEN;
                if (open) {
                    for (int wait = 0; wait < INSIDE; wait++) {
                        Thread.onSpinWait();
                    }
                    rounds.trace = i + 1;
                }
                inFlight.exit(section);
                if (!open) {
                    break;
                }
            }
            rounds.ended = round;
        }
    }

    /** What the two threads of a round share. */
    private static final class Rounds {
        volatile int begun;
        volatile int ready;
        volatile int ended;
        volatile int door;
        volatile int trace;
    }

    @Test
    void aDrainWaitsForEachOfSeveralThreads() throws Exception {
        for (int threads = 1; threads <= InFlight.OWNERS + 1; threads++) {
            InFlight counted = new InFlight(new LiveExecution("test"), "test");
            List<Thread> inside = new ArrayList<>();
            List<CountDownLatch> leave = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                CountDownLatch in = new CountDownLatch(1);
                CountDownLatch out = new CountDownLatch(1);
                leave.add(out);
                inside.add(
                        Thread.ofPlatform()
                                .start(() -> {
                                    counted.exit(
                                            counted.enter()); // has a number of its own from now on
                                    int section = counted.enter();
                                    in.countDown();
                                    await(out);
                                    counted.exit(section);
                                }));
                in.await();
            }
            Thread drain = Thread.ofPlatform().start(counted::drain);
            for (int i = threads - 1; i >= 0; i--) {
                Await.untilWaits(drain); // for thread i
                leave.get(i).countDown();
                inside.get(i).join();
            }
            assertThat(drain.join(Duration.ofSeconds(10))).isTrue();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theNumberOfAThreadThatHasEndedGoesToTheNext() throws Exception {
        InFlight counted = new InFlight(new LiveExecution("test"), "test");
        for (int i = 0; i < 3 * InFlight.OWNERS; i++) {
            int[] section = new int[1];
            Thread one =
                    Thread.ofPlatform()
                            .start(() -> {
                                counted.exit(counted.enter());
                                section[0] = counted.enterOwn();
                                counted.exit(section[0]);
                            });
            one.join();
            assertThat(section[0]).isBetween(0, InFlight.OWNERS - 1);
            counted.drain();
        }
    }
}
