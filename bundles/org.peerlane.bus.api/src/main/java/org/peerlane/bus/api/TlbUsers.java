package org.peerlane.bus.api;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.Condition;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Who is using a translation of a {@link DeviceTlb} now, so that whoever has taken one out can
 * wait.
 *
 * <p><b>Protocol.</b> A user enters, looks the translation up, uses it, exits. Whoever waits takes
 * it out first. Two counters take turns, each is seen at 0 once: who enters after that finds
 * nothing, and steady traffic does not hold up the wait.
 *
 * <p><b>Locks.</b> {@code bus.tlb.users}, by those who wait, one at a time, and by those who leave
 * while somebody does.
 */
final class TlbUsers {
    private static final int APART = 32;

    private final AtomicIntegerArray counts = new AtomicIntegerArray(3 * APART);
    private final NamedLock lock;
    private final Condition left;
    private volatile int turn;
    private volatile boolean waiting;

    TlbUsers(Execution execution) {
        lock = execution.lock("bus.tlb.users");
        left = lock.newCondition("left");
    }

    /** {@return what to exit with} */
    int enter() {
        int mine = turn;
        counts.getAndIncrement((mine + 1) * APART);
        return mine;
    }

    void exit(int mine) {
        if (counts.decrementAndGet((mine + 1) * APART) == 0 && waiting) {
            lock.lock();
            try {
                left.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Waits for everybody who has entered before. One thread at a time, and no user. */
    void await() {
        lock.lock();
        try {
            waiting = true;
            for (int round = 0; round < 2; round++) {
                int before = turn;
                turn = 1 - before;
                while (counts.get((before + 1) * APART) != 0) {
                    left.awaitUninterruptibly();
                }
            }
            waiting = false;
        } finally {
            lock.unlock();
        }
    }
}
