package org.peerlane.testkit;

import java.util.function.BooleanSupplier;

/**
 * Waits in a test for what another thread does, where nothing is signalled that could be waited
 * for. It gives the processor away, so that a machine with one of them gets on too, and ends when
 * the test's time limit interrupts it.
 *
 * <p><b>Threads.</b> Those of a live execution: a simulated thread would keep the others from
 * running.
 */
public final class Await {
    private static final int SPINS = 200;

    private Await() {}

    /**
     * Returns when it is so.
     *
     * @param what that which is waited for, for the message
     * @param condition asked again and again
     * @throws AssertionError the thread was interrupted, as by the test's time limit
     */
    public static void until(String what, BooleanSupplier condition) {
        for (int looks = 0; !condition.getAsBoolean(); looks++) {
            pause(what, looks);
        }
    }

    /**
     * Returns when a thread waits for something.
     *
     * @param thread the other one
     * @throws AssertionError it ended before, or this thread was interrupted
     */
    public static void untilWaits(Thread thread) {
        for (int looks = 0; ; looks++) {
            switch (thread.getState()) {
                case WAITING, TIMED_WAITING -> {
                    return;
                }
                case TERMINATED ->
                        throw new AssertionError(thread.getName() + " has ended and never waited");
                default -> pause(thread.getName() + " to wait", looks);
            }
        }
    }

    /**
     * Lets others run, between two looks at a field.
     *
     * @param what that which is waited for, for the message
     * @param looks how often one has looked before, from 0
     * @throws AssertionError the thread was interrupted, as by the test's time limit
     */
    @SuppressWarnings("ThreadPriorityCheck") // whom one waits for may have lost its processor
    public static void pause(String what, int looks) {
        if (Thread.interrupted()) {
            throw new AssertionError("interrupted; it still waited for " + what);
        }
        if (looks < SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }
}
