package org.peerlane.exec.api;

import java.util.ServiceLoader;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Runs a body of code under a schedule that a seed decides: one carrier, one thread at a time,
 * virtual time.
 *
 * <p>On the class path {@link #find} finds it; in the framework it is a service.
 *
 * <p><b>Threads.</b> Any platform thread; several may each run a schedule of their own.
 */
@ProviderType
public interface Simulator {
    /** More steps than any sane body of a test takes: past them a schedule counts as a livelock. */
    int STEP_LIMIT = 100_000;

    /**
     * Runs one schedule on the calling thread, to its end or to its first failure. Threads of a
     * failed schedule are dropped where they stand: their {@code finally} blocks do not run.
     *
     * @param seed decides every choice; the same seed and body give the same schedule
     * @param stepLimit the steps after which the schedule fails
     * @param body runs as the thread {@code main}; its objects under test are made inside it
     * @throws IllegalStateException the JVM runs without {@code
     *     --add-opens=java.base/java.lang=ALL-UNNAMED}, or the caller is a virtual thread
     */
    Schedule run(long seed, int stepLimit, Body body);

    /** {@return the simulator on the class path} */
    static Simulator find() {
        return ServiceLoader.load(Simulator.class, Simulator.class.getClassLoader())
                .findFirst()
                .orElseThrow(() ->
                        new IllegalStateException(
                                "no Simulator on the class path: add org.peerlane.exec.sim"));
    }

    /** What a schedule runs. */
    @ConsumerType
    @FunctionalInterface
    interface Body {
        /**
         * Runs once per schedule.
         *
         * @param execution the schedule's threads, time, locks and checkpoints
         * @throws Throwable fails the schedule
         */
        void run(Execution execution) throws Throwable;
    }
}
