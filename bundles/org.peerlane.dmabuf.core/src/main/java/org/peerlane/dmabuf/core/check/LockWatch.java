package org.peerlane.dmabuf.core.check;

import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;

/** Hands what executions tell of their locks to the checks. */
final class LockWatch implements LockObserver {
    /** The lock inside the mmap lock: it is taken for a moment, to take that or give it back. */
    static final String MMAP = "memory.mmap";

    private final Checks checks;

    LockWatch(Checks checks) {
        this.checks = checks;
    }

    @Override
    public void acquiring(NamedLock lock) {
        if (lock.name().equals(MMAP)) {
            checks.takingMmapLock();
        } else {
            checks.taking(lock);
        }
    }

    @Override
    public void waiting(NamedLock lock) {
        if (!Checks.isOwn(lock.name())) { // taken for moments inside of other waits
            checks.beginWait(lock);
        }
    }

    @Override
    public void acquired(NamedLock lock) {
        checks.endWaitFor(lock);
        if (!lock.name().equals(MMAP)) {
            checks.took(lock);
        }
    }

    @Override
    public void givenUp(NamedLock lock) {
        checks.endWaitFor(lock);
    }

    @Override
    public void released(NamedLock lock) {
        checks.gaveBack(lock);
    }
}
