package org.peerlane.exec.sim;

import java.util.List;
import java.util.SplittableRandom;

/**
 * Decides which thread goes on. Two strategies, by the seed's lowest bit: a random walk, which is
 * good at short races, and random priorities with a few change points (probabilistic concurrency
 * testing), which reaches orders that need one thread to be far behind the others.
 */
abstract sealed class Chooser {
    final SplittableRandom random;

    private Chooser(SplittableRandom random) {
        this.random = random;
    }

    static Chooser of(long seed) {
        var random = new SplittableRandom(seed);
        return (seed & 1) == 0 ? new Walk(random) : new Priorities(random);
    }

    /** {@return the index of the thread that goes on} */
    abstract int choose(List<SimThread> ready);

    /**
     * {@return the index of the thread that goes on, or {@code ready.size()}: the running one}
     *
     * @param current the running thread, which is not in {@code ready}
     */
    abstract int choose(List<SimThread> ready, SimThread current);

    /** A thread is new. */
    abstract void born(SimThread thread);

    /** Each step a fair throw. */
    private static final class Walk extends Chooser {
        Walk(SplittableRandom random) {
            super(random);
        }

        @Override
        int choose(List<SimThread> ready) {
            int n = ready.size();
            return n == 1 ? 0 : random.nextInt(n);
        }

        @Override
        int choose(List<SimThread> ready, SimThread current) {
            return random.nextInt(ready.size() + 1);
        }

        @Override
        void born(SimThread thread) {}
    }

    /**
     * The highest priority runs; at a few steps, drawn beforehand, the running thread falls to the
     * end.
     */
    private static final class Priorities extends Chooser {
        private static final int CHANGES = 3;

        /** A thread that has run alone for so long is taken to spin. */
        private static final int PATIENCE = 200;

        private final long[] changeAt = new long[CHANGES];
        private long step;
        private long lowest;
        private int alone;

        Priorities(SplittableRandom random) {
            super(random);
            int length = 8 << random.nextInt(8);
            for (int i = 0; i < CHANGES; i++) {
                changeAt[i] = random.nextInt(length);
            }
        }

        @Override
        void born(SimThread thread) {
            thread.priority = 1L + random.nextInt(1 << 20);
        }

        @Override
        int choose(List<SimThread> ready) {
            alone = 0;
            return highest(ready);
        }

        @Override
        int choose(List<SimThread> ready, SimThread current) {
            step++;
            boolean fall = ++alone > PATIENCE;
            for (long at : changeAt) {
                fall |= at == step;
            }
            if (fall) {
                current.priority = --lowest;
            }
            int best = highest(ready);
            if (ready.get(best).priority > current.priority) {
                alone = 0;
                return best;
            }
            return ready.size();
        }

        private static int highest(List<SimThread> ready) {
            int best = 0;
            for (int i = 1; i < ready.size(); i++) {
                if (ready.get(i).priority > ready.get(best).priority) {
                    best = i;
                }
            }
            return best;
        }
    }
}
