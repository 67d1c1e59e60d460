package org.peerlane.exec.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Is told who takes which lock. Of locks that a thread takes again while it has them, only the
 * first time and the last release count. The wait on a condition of a lock is not told.
 *
 * <p><b>Threads.</b> The one that takes the lock, in the middle of it: whoever observes must not
 * wait, and not throw. What it does with locks of its own is told too.
 */
@ConsumerType
public interface LockObserver {
    /** This thread is about to take a lock, and to wait for it if need be. */
    void acquiring(NamedLock lock);

    /** Another thread has the lock: this one waits from now on. */
    void waiting(NamedLock lock);

    /** This thread has the lock: after {@link #acquiring}, or without it by a {@code tryLock}. */
    void acquired(NamedLock lock);

    /** What {@link #acquiring} began has ended without the lock. */
    void givenUp(NamedLock lock);

    /** This thread has the lock no more. */
    void released(NamedLock lock);
}
