package org.peerlane.dmabuf.core.resv;

import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/** A thread in the queue of a {@link WaitDieLock}; the queue's lock guards it. */
final class Waiter {
    final Thread thread = Thread.currentThread();
    final Object word;
    final @Nullable CoreAcquireContext transaction;

    /** Whether an older transaction in the way ends its wait: it holds other locks. */
    final boolean mayDie;

    private final Condition woken;

    /** The lock is its own; it is in the queue no more. */
    boolean granted;

    @Nullable Waiter before;
    @Nullable Waiter after;

    Waiter(Condition woken, Object word, @Nullable CoreAcquireContext transaction, boolean mayDie) {
        this.woken = woken;
        this.word = word;
        this.transaction = transaction;
        this.mayDie = mayDie;
    }

    /** Something has changed for it: it looks again. */
    void wake() {
        woken.signal();
    }

    /** Until it is woken, or without a reason: the caller loops. */
    @SuppressWarnings("WaitNotInLoop") // so does its caller
    void sleep(boolean interruptible) {
        if (!interruptible) {
            woken.awaitUninterruptibly();
            return;
        }
        try {
            woken.await();
        } catch (InterruptedException e) {
            thread.interrupt(); // the loop decides: who has got the lock meanwhile keeps it
        }
    }
}
