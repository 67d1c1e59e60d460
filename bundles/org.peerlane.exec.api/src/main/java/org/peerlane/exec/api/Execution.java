package org.peerlane.exec.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Where emulated work runs and what it takes for time.
 *
 * <p><b>Life.</b> In the framework each bundle gets an execution of its own; when the bundle lets
 * go of it, its timers are cancelled, its threads are interrupted, and what is still alive after
 * that is reported with the bundle's name. Under simulation one execution lives for one schedule.
 *
 * <p><b>Threads.</b> Any may call any method. Under simulation only the simulation's own threads
 * may. A step of it costs one microsecond of virtual time, so that a loop that polls the clock
 * ends.
 *
 * <p><b>Units.</b> Nanoseconds throughout.
 */
@ProviderType
public interface Execution {

    /**
     * Starts a thread.
     *
     * @param kind what it will do
     * @param name for traces, dumps and reports, such as {@code edu0.dma}
     * @param body runs once; what it throws is logged, and kept in {@link EmulatedThread#failure}
     * @throws IllegalStateException the execution's bundle has let go of it
     */
    EmulatedThread start(ThreadKind kind, String name, Runnable body);

    /**
     * {@return whether threads and time are simulated} Then one thread runs at a time, and whoever
     * waits must do so on a lock's condition or a timer, never by looking again and again.
     */
    default boolean isSimulated() {
        return false;
    }

    /** {@return the time since an arbitrary start; it never goes back} */
    long nanoTime();

    /**
     * Lets time pass.
     *
     * @param nanos how long; 0 or less only lets other threads run
     * @throws InterruptedException {@link EmulatedThread#interrupt} came before or meanwhile
     */
    void sleep(long nanos) throws InterruptedException;

    /**
     * Runs something later, once, on a thread of the execution's.
     *
     * @param name for traces and reports
     * @param delayNanos from now; 0 or less means at once
     * @param action must be short and must not block; one that throws is logged
     * @throws IllegalStateException the execution's bundle has let go of it
     */
    Timer schedule(String name, long delayNanos, Runnable action);

    /**
     * Makes a lock.
     *
     * @param name its class, such as {@code dmabuf.reservation}: many locks may share it
     */
    NamedLock lock(String name);

    /**
     * Finds a checkpoint, or makes it: ask once, keep it in a field, and {@linkplain
     * Checkpoint#reached pass} it.
     *
     * @param name bundle, protocol and step, such as {@code nvme.submit.after-map}
     */
    Checkpoint checkpoint(String name);

    /** {@return every checkpoint asked for so far, for those who want to act there} */
    Checkpoints checkpoints();

    /**
     * Tells an observer of locks: of all that are made from now on, by any execution that shares
     * its checkpoints with this one. Nobody observing costs nothing.
     *
     * @throws UnsupportedOperationException its locks cannot be observed
     */
    default LockObservation observeLocks(LockObserver observer) {
        throw new UnsupportedOperationException(
                "the locks of " + getClass().getName() + " cannot be observed");
    }
}
