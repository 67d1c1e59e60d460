package org.peerlane.testkit.planted;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.testkit.planted.Program.Body;
import org.peerlane.testkit.planted.Program.Checks;

/** The programs. Each locks as a reader would call correct; the planted ones are not. */
@SuppressWarnings("WaitNotInLoop") // the planted bug of one of them
final class Programs {
    private Programs() {}

    /** Takes {@code lockInterruptibly}, so that a live run that hangs can be cleared away. */
    private static void with(Lock lock, Body body) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            body.run();
        } finally {
            lock.unlock();
        }
    }

    /** Read under the lock, write under the lock; planted: in two critical sections. */
    static Program counter(boolean planted) {
        return (execution, atEnd) -> {
            NamedLock lock = execution.lock("counter");
            int[] value = new int[1];
            Body twoSections =
                    () -> {
                        int[] read = new int[1];
                        with(lock, () -> read[0] = value[0]);
                        with(lock, () -> value[0] = read[0] + 1);
                    };
            Body oneSection = () -> with(lock, () -> value[0]++);
            Body body = planted ? twoSections : oneSection;
            atEnd.add(() -> assertThat(value[0]).as("increments").isEqualTo(2));
            return List.of(body, body);
        };
    }

    /** Two locks; planted: taken in either order. */
    static Program twoLocks(boolean planted) {
        return (execution, atEnd) -> {
            NamedLock a = execution.lock("A");
            NamedLock b = execution.lock("B");
            Body ab = () -> with(a, () -> with(b, () -> {}));
            Body ba = () -> with(b, () -> with(a, () -> {}));
            return List.of(ab, planted ? ba : ab);
        };
    }

    /** One waits for a flag; planted: it looks, lets go of the lock, and waits. */
    static Program wakeUp(boolean planted) {
        return (execution, atEnd) -> {
            NamedLock lock = execution.lock("mailbox");
            Condition full = lock.newCondition("full");
            boolean[] flag = new boolean[1];
            Body sender =
                    () ->
                            with(
                                    lock,
                                    () -> {
                                        flag[0] = true;
                                        full.signal();
                                    });
            Body receiver =
                    () ->
                            with(
                                    lock,
                                    () -> {
                                        while (!flag[0]) {
                                            full.await();
                                        }
                                    });
            Body looksFirst =
                    () -> {
                        boolean[] seen = new boolean[1];
                        with(lock, () -> seen[0] = flag[0]);
                        if (!seen[0]) {
                            with(lock, full::await);
                        }
                    };
            return List.of(planted ? looksFirst : receiver, sender);
        };
    }

    /**
     * A one-place buffer, two producers and two consumers; planted: one condition for both sides,
     * and {@code signal} where {@code signalAll} is needed, so a producer's signal may reach a
     * producer, and all sleep.
     */
    static Program buffer(boolean planted) {
        return (execution, atEnd) -> {
            OnePlace buffer = new OnePlace(execution, planted);
            Body producer = () -> repeat(2, buffer::put);
            Body consumer = () -> repeat(2, buffer::take);
            atEnd.add(() -> assertThat(buffer.full).isFalse());
            return List.of(producer, consumer, producer, consumer);
        };
    }

    private static void repeat(int times, Body body) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            body.run();
        }
    }

    private static final class OnePlace {
        private final NamedLock lock;
        private final Condition changed;
        private final boolean wakeOne;
        private boolean full;

        OnePlace(Execution execution, boolean wakeOne) {
            lock = execution.lock("buffer");
            changed = lock.newCondition("changed");
            this.wakeOne = wakeOne;
        }

        void put() throws InterruptedException {
            flip(true);
        }

        void take() throws InterruptedException {
            flip(false);
        }

        private void flip(boolean to) throws InterruptedException {
            with(
                    lock,
                    () -> {
                        while (full == to) {
                            changed.await();
                        }
                        full = to;
                        if (wakeOne) {
                            changed.signal();
                        } else {
                            changed.signalAll();
                        }
                    });
        }
    }

    /** A compare-and-set by hand on a plain field, with the checkpoint that such code must have. */
    static Program ticket(boolean planted) {
        return (Execution execution, Checks atEnd) -> {
            Checkpoint between = execution.checkpoint("ticket.after-read");
            NamedLock lock = execution.lock("ticket");
            int[] next = new int[1];
            int[] taken = new int[2];
            Body bare =
                    () -> {
                        int mine = next[0];
                        between.reached();
                        next[0] = mine + 1;
                        taken[mine]++;
                    };
            Body body = planted ? bare : () -> with(lock, bare);
            atEnd.add(() -> assertThat(taken).as("takers of each ticket").containsOnly(1));
            return List.of(body, body);
        };
    }

    /**
     * An engine that sleeps at a doorbell and two that ring it; planted: it looks at the work
     * before it makes the bell quiet, so a ring in between is lost.
     */
    static Program doorbell(boolean planted) {
        return (execution, atEnd) -> {
            Doorbell bell = new Doorbell(execution, "engine.bell");
            Checkpoint between = execution.checkpoint("engine.after-look");
            int[] tail = new int[1];
            Body ringer =
                    () -> {
                        tail[0]++;
                        bell.ring();
                    };
            Body engine =
                    () -> {
                        while (tail[0] < 2) {
                            between.reached();
                            bell.await();
                        }
                    };
            Body forgetful =
                    () -> {
                        while (tail[0] < 2) {
                            between.reached();
                            bell.poll();
                            bell.await();
                        }
                    };
            return List.of(planted ? forgetful : engine, ringer, ringer);
        };
    }
}
