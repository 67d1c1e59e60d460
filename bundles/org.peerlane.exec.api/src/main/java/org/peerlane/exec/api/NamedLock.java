package org.peerlane.exec.api;

import java.io.Serial;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A lock with a name. Live it is the plain JDK lock; under simulation the scheduler decides before
 * each acquisition and after each release and signal who goes on, timed waits run on virtual time,
 * and a deadlock report says who owns it and who waits.
 *
 * <p>Made by {@link Execution#lock}. Never fair. The queue questions that the JDK made final
 * ({@code hasQueuedThreads}, {@code getQueueLength}) know nothing under simulation; holder
 * questions do.
 */
@SuppressWarnings("doclint:missing")
public class NamedLock extends ReentrantLock {
    @Serial private static final long serialVersionUID = 1;

    private final String name;

    /**
     * For an {@link Execution} only.
     *
     * @param name the lock's class
     */
    protected NamedLock(String name) {
        this.name = name;
    }

    /** {@return the lock's class, such as {@code dmabuf.reservation}} */
    public final String name() {
        return name;
    }

    /** {@return the thread that has it, or null; out of date as soon as it is read} */
    public @Nullable Thread holder() {
        return getOwner();
    }

    /**
     * Makes a condition of this lock.
     *
     * @param condition what is waited for, such as {@code not-empty}; reports print it
     */
    public Condition newCondition(String condition) {
        return newCondition();
    }

    @Override
    public String toString() {
        return name;
    }
}
