package org.peerlane.exec.sim;

import org.jspecify.annotations.Nullable;

/**
 * Probabilistic concurrency testing (Burckhardt and others, ASPLOS 2010): each thread gets a random
 * priority, the highest that can run does, and at a few random steps the current one drops below
 * all. It finds a bug that needs d ordered steps with a chance that does not shrink with the number
 * of interleavings.
 *
 * <p>The algorithm wants the length of a run; a seed must replay alone, so it is drawn from the
 * seed too, 8 to 1024 steps, each power of two as likely as the others.
 */
final class Priorities extends Strategy {
    private static final int MOST_CHANGES = 3;
    private static final int FAIR = 500; // steps in a row after which a thread must be spinning

    private final Random64 random;
    private final int[] changes; // steps still to come at which the current thread drops
    private int step;
    private @Nullable SimThread last;
    private int inARow;
    private long lowest; // the priorities given to droppers, from 0 down

    Priorities(Random64 random) {
        this.random = random;
        int length = 8 << random.below(8);
        changes = new int[random.below(MOST_CHANGES + 1)];
        for (int i = 0; i < changes.length; i++) {
            changes[i] = 1 + random.below(length);
        }
    }

    @Override
    void started(SimThread thread) {
        thread.priority = random.next() >>> 1;
    }

    @Override
    void yielded(SimThread thread) {
        thread.priority = --lowest;
    }

    @Override
    SimThread choose(SimThread[] runnable, int count, @Nullable SimThread current) {
        step++;
        if (current != null) {
            for (int change : changes) {
                if (change == step) {
                    current.priority = --lowest;
                }
            }
        }
        if (current != null && current == last && ++inARow >= FAIR) {
            current.priority = --lowest;
        }
        SimThread best = runnable[0];
        for (int i = 1; i < count; i++) {
            if (runnable[i].priority > best.priority) {
                best = runnable[i];
            }
        }
        if (best != last) {
            last = best;
            inARow = 0;
        }
        return best;
    }
}
