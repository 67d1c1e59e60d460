package org.peerlane.exec.sim;

import org.jspecify.annotations.Nullable;

/** Anyone may be next, with a given chance that the current one stays. */
final class RandomWalk extends Strategy {
    private final Random64 random;
    private final int stayPercent;

    RandomWalk(Random64 random, int stayPercent) {
        this.random = random;
        this.stayPercent = stayPercent;
    }

    @Override
    void started(SimThread thread) {}

    @Override
    void yielded(SimThread thread) {}

    @Override
    SimThread choose(SimThread[] runnable, int count, @Nullable SimThread current) {
        if (current != null && stayPercent > 0 && random.below(100) < stayPercent) {
            return current;
        }
        return runnable[random.below(count)];
    }
}
