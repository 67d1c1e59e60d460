package org.peerlane.exec.api;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** A thread that an {@link Execution} started. */
@ProviderType
public interface EmulatedThread {
    /** {@return the name it was started with} */
    String name();

    /** {@return whether its body still runs} */
    boolean isAlive();

    /** Asks it to end: what it waits for ends with an {@link InterruptedException}. */
    void interrupt();

    /**
     * Waits until its body has ended.
     *
     * @throws InterruptedException the waiting thread was interrupted
     */
    void join() throws InterruptedException;

    /**
     * Waits until its body has ended, for a limited time.
     *
     * @return whether it has ended
     * @throws InterruptedException the waiting thread was interrupted
     */
    boolean join(long timeoutNanos) throws InterruptedException;

    /**
     * Waits until its body has ended, whatever comes: for who may free what it uses only then. An
     * interrupt that comes meanwhile is kept for later.
     */
    default void joinUninterruptibly() {
        boolean interrupted = false;
        while (isAlive()) {
            try {
                join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@return what its body threw, if it ended that way} */
    Optional<Throwable> failure();
}
