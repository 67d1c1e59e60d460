package org.peerlane.bus.pcie;

import org.peerlane.bus.api.DmaResult;

/**
 * In which life a function is and whether it may send: one word, so that a request compares the
 * word of now with the one it was begun in, and that is all.
 *
 * <p><b>Threads.</b> Any read. Who writes has the function's lock, and then drains what is in
 * flight: what passed the check before has landed, all else is refused (PC-62).
 */
final class Life {
    private static final int REFUSAL_BITS = 8;

    /** Generation, and in the low byte the status that refuses everything, or OK. */
    private volatile long state = DmaResult.GONE;

    /** The generation whose queued writes may still arrive. */
    private volatile long arrivable;

    /** {@return generation and refusal, as one word} */
    long state() {
        return state;
    }

    /** {@return OK, or the status of everything that begins in this state} */
    static int refusal(long state) {
        return (int) state & (1 << REFUSAL_BITS) - 1;
    }

    /** {@return which life a state is of; differs between lives} */
    static long generation(long state) {
        return state >>> REFUSAL_BITS;
    }

    /** Says in which life the function is, and OK or the status of all that begins now. */
    void is(long generation, int refusal) {
        arrivable = generation;
        state = generation << REFUSAL_BITS | refusal;
    }

    /** The function has been pulled out: what had left it still arrives (PC-68). */
    void departed(long generation) {
        state = generation << REFUSAL_BITS | DmaResult.GONE;
    }

    /** {@return whether a write that was posted in a state may still arrive} */
    boolean lets(long posted) {
        return arrivable == generation(posted);
    }

    /** {@return the status of a request of another state than now} */
    static int over(long begun, long now) {
        return generation(now) != generation(begun) ? DmaResult.GONE : refusal(now);
    }
}
