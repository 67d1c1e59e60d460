package org.peerlane.exec.live;

import java.io.Serial;
import java.util.concurrent.TimeUnit;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;

/** The JDK's lock, which tells observers. A lock that is not free is tried once before the wait. */
@SuppressWarnings("LockNotBeforeTry") // it is the lock
final class ObservedLock extends NamedLock {
    @Serial private static final long serialVersionUID = 1;

    private final transient LiveLocks locks;

    ObservedLock(String name, LiveLocks locks) {
        super(name);
        this.locks = locks;
    }

    @Override
    public void lock() {
        if (isHeldByCurrentThread()) {
            super.lock();
            return;
        }
        acquiring();
        if (!super.tryLock()) {
            waiting();
            super.lock();
        }
        acquired();
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        if (isHeldByCurrentThread()) {
            super.lockInterruptibly();
            return;
        }
        acquiring();
        boolean taken = false;
        try {
            if (Thread.currentThread().isInterrupted() || !super.tryLock()) {
                waiting();
                super.lockInterruptibly();
            }
            taken = true;
        } finally {
            ended(taken);
        }
    }

    @Override
    public boolean tryLock() {
        boolean again = isHeldByCurrentThread();
        boolean taken = super.tryLock();
        if (taken && !again) {
            acquired();
        }
        return taken;
    }

    @Override
    public boolean tryLock(long timeout, TimeUnit unit) throws InterruptedException {
        if (isHeldByCurrentThread()) {
            return super.tryLock(timeout, unit);
        }
        acquiring();
        boolean taken = false;
        try {
            if (Thread.currentThread().isInterrupted() || !super.tryLock()) {
                waiting();
                taken = super.tryLock(timeout, unit);
            } else {
                taken = true;
            }
        } finally {
            ended(taken);
        }
        return taken;
    }

    @Override
    public void unlock() {
        boolean last = getHoldCount() == 1;
        super.unlock();
        if (last) {
            for (LockObserver observer : locks.observers()) {
                observer.released(this);
            }
        }
    }

    private void acquiring() {
        for (LockObserver observer : locks.observers()) {
            observer.acquiring(this);
        }
    }

    private void waiting() {
        for (LockObserver observer : locks.observers()) {
            observer.waiting(this);
        }
    }

    private void acquired() {
        for (LockObserver observer : locks.observers()) {
            observer.acquired(this);
        }
    }

    private void ended(boolean taken) {
        if (taken) {
            acquired();
            return;
        }
        for (LockObserver observer : locks.observers()) {
            observer.givenUp(this);
        }
    }
}
