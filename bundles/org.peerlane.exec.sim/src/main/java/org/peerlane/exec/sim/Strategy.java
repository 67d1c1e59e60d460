package org.peerlane.exec.sim;

import org.jspecify.annotations.Nullable;

/**
 * Chooses who runs next. The seed chooses the strategy too: a random walk that switches at every
 * point, one that likes to stay, or priorities.
 */
abstract sealed class Strategy permits RandomWalk, Priorities {

    static Strategy of(Random64 random) {
        return switch (random.below(4)) {
            case 0 -> new RandomWalk(random, 0);
            case 1 -> new RandomWalk(random, 50 + random.below(45));
            default -> new Priorities(random);
        };
    }

    /** A thread has been made. */
    abstract void started(SimThread thread);

    /** A thread says that it only waits for others, so it must not keep the carrier. */
    abstract void yielded(SimThread thread);

    /**
     * Chooses.
     *
     * @param runnable the threads that can run, {@code count} of them, at least one
     * @param current who runs now and may go on; null if it must not
     */
    abstract SimThread choose(SimThread[] runnable, int count, @Nullable SimThread current);
}
