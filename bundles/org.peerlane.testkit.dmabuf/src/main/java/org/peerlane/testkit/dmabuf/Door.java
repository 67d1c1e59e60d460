package org.peerlane.testkit.dmabuf;

import java.util.concurrent.locks.Condition;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * A door that a test shuts: who comes to it waits there until it is opened.
 *
 * <p><b>Life.</b> Open at first; may be shut and opened any number of times. <b>Threads.</b> Any,
 * live or simulated.
 */
public final class Door {
    private final NamedLock lock;
    private final Condition changed;

    /** Guarded by lock, as all below. */
    private boolean shut;

    private int waiting;

    /** An open door. */
    public Door(Execution execution) {
        lock = execution.lock("testkit.door");
        changed = lock.newCondition("changed");
    }

    /** From now on who comes waits. */
    public void shut() {
        set(true);
    }

    /** Lets everybody pass. */
    public void open() {
        set(false);
    }

    private void set(boolean to) {
        lock.lock();
        try {
            shut = to;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits while it is shut. */
    public void pass() {
        lock.lock();
        try {
            waiting++;
            changed.signalAll();
            while (shut) {
                changed.awaitUninterruptibly();
            }
            waiting--;
        } finally {
            lock.unlock();
        }
    }

    /** Returns when somebody waits at the door. */
    public void awaitSomebody() {
        lock.lock();
        try {
            while (!shut || waiting == 0) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }
}
