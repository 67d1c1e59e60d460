package org.peerlane.testkit;

import java.util.concurrent.locks.Condition;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Simulator.Program;
import org.peerlane.exec.api.ThreadKind;

/** Four programs with one bug each, and the same programs without it. */
final class PlantedBugs {
    private PlantedBugs() {}

    /** The consumer looks, lets go, and then waits: a signal in between is lost. */
    static Program lostWakeUp(boolean mended) {
        return exec -> {
            NamedLock lock = exec.lock("mailbox");
            Condition filled = lock.newCondition("filled");
            boolean[] full = {false};
            EmulatedThread consumer =
                    exec.start(
                            ThreadKind.BLOCKING,
                            "consumer",
                            () -> consume(lock, filled, full, mended));
            EmulatedThread producer =
                    exec.start(
                            ThreadKind.BLOCKING,
                            "producer",
                            () -> {
                                lock.lock();
                                try {
                                    full[0] = true;
                                    filled.signal();
                                } finally {
                                    lock.unlock();
                                }
                            });
            producer.join();
            consumer.join();
        };
    }

    private static void consume(NamedLock lock, Condition filled, boolean[] full, boolean mended) {
        boolean empty;
        lock.lock();
        try {
            empty = !full[0];
        } finally {
            lock.unlock();
        }
        if (empty) {
            lock.lock();
            try {
                while (mended ? !full[0] : empty) {
                    filled.await();
                    empty = false;
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                lock.unlock();
            }
        }
    }

    /** Two locks taken in two orders. */
    static Program abBa(boolean mended) {
        return exec -> {
            NamedLock a = exec.lock("A");
            NamedLock b = exec.lock("B");
            EmulatedThread one = exec.start(ThreadKind.BLOCKING, "one", () -> nest(a, b));
            EmulatedThread two =
                    exec.start(
                            ThreadKind.BLOCKING, "two", () -> nest(mended ? a : b, mended ? b : a));
            one.join();
            two.join();
        };
    }

    private static void nest(NamedLock outer, NamedLock inner) {
        outer.lock();
        try {
            inner.lock();
            inner.unlock();
        } finally {
            outer.unlock();
        }
    }

    /** Read under the lock and written under the lock, but not under the same hold of it. */
    static Program lostUpdate(boolean mended) {
        return exec -> {
            NamedLock lock = exec.lock("counter");
            int[] counter = {0};
            Runnable increment =
                    () -> {
                        lock.lock();
                        int seen = counter[0];
                        if (!mended) {
                            lock.unlock();
                            lock.lock();
                        }
                        counter[0] = seen + 1;
                        lock.unlock();
                    };
            EmulatedThread one = exec.start(ThreadKind.BLOCKING, "one", increment);
            EmulatedThread two = exec.start(ThreadKind.BLOCKING, "two", increment);
            one.join();
            two.join();
            if (counter[0] != 2) {
                throw new AssertionError("two increments made " + counter[0]);
            }
        };
    }

    /** A request waits for its answer with the lock held that the answer needs. */
    static Program waitUnderALock(boolean mended) {
        return exec -> {
            NamedLock device = exec.lock("device");
            NamedLock queue = exec.lock("queue");
            Condition answered = queue.newCondition("answered");
            boolean[] done = {false};
            Checkpoint submitted = exec.checkpoint("planted.submitted");
            EmulatedThread driver =
                    exec.start(
                            ThreadKind.BLOCKING,
                            "driver",
                            () -> {
                                if (!mended) {
                                    device.lock();
                                }
                                submitted.reached();
                                await(queue, answered, done);
                                if (!mended) {
                                    device.unlock();
                                }
                            });
            EmulatedThread engine =
                    exec.start(
                            ThreadKind.BLOCKING,
                            "engine",
                            () -> {
                                device.lock();
                                queue.lock();
                                done[0] = true;
                                answered.signalAll();
                                queue.unlock();
                                device.unlock();
                            });
            driver.join();
            engine.join();
        };
    }

    private static void await(NamedLock queue, Condition answered, boolean[] done) {
        queue.lock();
        try {
            while (!done[0]) {
                answered.await();
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            queue.unlock();
        }
    }

    /**
     * {@return whether a live run of the program ends as it should within a quarter of a second}
     */
    static boolean passesLive(Execution live, Program program) throws InterruptedException {
        EmulatedThread run =
                live.start(
                        ThreadKind.BLOCKING,
                        "live",
                        () -> {
                            try {
                                program.run(live);
                            } catch (Throwable e) {
                                throw new IllegalStateException(e);
                            }
                        });
        return run.join(250_000_000L) && run.failure().isEmpty();
    }
}
