package org.peerlane.device.gpu;

import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * The steps of the engine, and the lives that they belong to: each reset ends one. A step is the
 * smallest thing that the engine does to the world, such as one transfer of at most 64 KiB or one
 * message. It happens in its own life or not at all.
 *
 * <p><b>Protocol.</b> The engine: {@link #enter} with the life that the work was begun in, one
 * step, {@link #leave}. Who resets: {@link #end}, then {@link #settle}; after that nothing of the
 * old life happens any more.
 *
 * <p><b>Locks.</b> {@code gpu.step} is held for one step, DMA included, so only who may wait for
 * that takes it: the engine and a reset of the function, no register access. It comes before {@code
 * gpu.device}. A step that resets its own card, by a checkpoint of the bus', enters it again.
 */
final class Steps {
    private final NamedLock lock;
    private volatile long life = 1; // written with the device's lock held

    Steps(Execution execution) {
        lock = execution.lock("gpu.step");
    }

    /** {@return the number of the life} */
    long life() {
        return life;
    }

    /** {@return whether a life is the past} */
    boolean isOver(long of) {
        return life != of;
    }

    /** {@return whether the step may happen; then {@link #leave} is to follow} */
    @SuppressWarnings("LockNotBeforeTry") // leave() unlocks
    boolean enter(long of) {
        lock.lock();
        if (life == of) {
            return true;
        }
        lock.unlock();
        return false;
    }

    void leave() {
        lock.unlock();
    }

    /** [held: gpu.device] The life is over: no step of it begins any more. */
    void end() {
        long next = life + 1;
        life = next;
    }

    /** Does something when no step is under way. */
    void settle(Runnable action) {
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }
}
