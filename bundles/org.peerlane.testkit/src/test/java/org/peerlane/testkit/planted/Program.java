package org.peerlane.testkit.planted;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;

/** A program for a few threads, run live or under simulation; objects are made per run. */
interface Program {
    /** {@return the bodies of its threads} */
    List<Body> threads(Execution execution, Checks atEnd);

    /** One thread of it. */
    @FunctionalInterface
    interface Body {
        void run() throws InterruptedException;
    }

    /** What must hold when all threads have ended. */
    final class Checks {
        private final List<Runnable> checks = new ArrayList<>();

        void add(Runnable check) {
            checks.add(check);
        }

        void run() {
            checks.forEach(Runnable::run);
        }
    }

    /** Runs it to its end. */
    default void run(Execution execution) throws InterruptedException {
        Checks checks = new Checks();
        for (EmulatedThread thread : start(execution, checks)) {
            thread.join();
        }
        checks.run();
    }

    /** {@return whether it went right, live: all threads ended in time and the checks hold} */
    default boolean runLive(Execution execution, long limitNanos) throws InterruptedException {
        Checks checks = new Checks();
        List<EmulatedThread> threads = start(execution, checks);
        boolean right = true;
        long end = execution.nanoTime() + limitNanos;
        for (EmulatedThread thread : threads) {
            right &= thread.join(end - execution.nanoTime()) && thread.failure().isEmpty();
        }
        for (EmulatedThread thread : threads) {
            thread.interrupt();
        }
        try {
            checks.run();
        } catch (AssertionError e) {
            right = false;
        }
        return right;
    }

    private List<EmulatedThread> start(Execution execution, Checks checks) {
        List<EmulatedThread> started = new ArrayList<>();
        char name = 'a';
        for (Body body : threads(execution, checks)) {
            started.add(
                    execution.start(
                            ThreadKind.BLOCKING,
                            String.valueOf(name++),
                            () -> {
                                try {
                                    body.run();
                                } catch (InterruptedException e) {
                                    Thread.currentThread().interrupt();
                                }
                            }));
        }
        return started;
    }
}
