package org.peerlane.iommu.core;

import java.util.concurrent.locks.Condition;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/** Counts what is under way, in two turns, so that steady traffic does not hold up a drain. */
final class InFlight {
    private final NamedLock lock;
    private final Condition changed;
    private final int[] count = new int[2];
    private int phase;
    private boolean draining;

    InFlight(Execution execution, String name) {
        lock = execution.lock(name);
        changed = lock.newCondition("drained");
    }

    int enter() {
        lock.lock();
        try {
            count[phase]++;
            return phase;
        } finally {
            lock.unlock();
        }
    }

    void exit(int mine) {
        lock.lock();
        try {
            count[mine]--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void drain() {
        lock.lock();
        try {
            while (draining) {
                changed.awaitUninterruptibly();
            }
            draining = true;
            int now = phase;
            awaitZero(1 - now);
            phase = 1 - now;
            awaitZero(now);
            draining = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void awaitZero(int which) {
        while (count[which] != 0) {
            changed.awaitUninterruptibly();
        }
    }
}
