package org.peerlane.dmabuf.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.kernel.api.OpenFile.PollWaiter;

/**
 * Who waits until a buffer can be read or written (DB-65). The first to find an unsignaled fence
 * arms a callback on it, and only on it; the others sleep. When it fires, all wake and look again.
 *
 * <p><b>Life.</b> An armed callback holds a reference of the buffer, and one of its fence.
 *
 * <p><b>Locks.</b> The list lock guards everything; nobody is called with it held.
 */
final class BufferPoll {
    private final Buffer buffer;
    private final Services services;
    private final NamedLock lock;
    private final Armed in = new Armed(FenceUsage.WRITE);
    private final Armed out = new Armed(FenceUsage.READ);

    /** Guarded by lock, first come first. */
    private final Set<PollWaiter> waiters = new LinkedHashSet<>(0);

    /** The callback of one direction. */
    private final class Armed extends FenceCallback {
        final FenceUsage usage;

        /** Guarded by lock. */
        boolean active;

        Armed(FenceUsage usage) {
            this.usage = usage;
        }

        @Override
        public void signaled(Fence fence) {
            fired(this, fence);
        }
    }

    BufferPoll(Buffer buffer, Services services, NamedLock lock) {
        this.buffer = buffer;
        this.services = services;
        this.lock = lock;
    }

    /** {@return what can be done now} Arms nothing. */
    int ready(int events) {
        return ready(events, OpenFile.POLLIN, in) | ready(events, OpenFile.POLLOUT, out);
    }

    private int ready(int events, int event, Armed armed) {
        return (events & event) != 0 && buffer.reservation().testSignaled(armed.usage) ? event : 0;
    }

    /** {@return what can be done now; if it is nothing, the waiter is woken when it may have} */
    int poll(int events, PollWaiter waiter) {
        lock.lock();
        try {
            waiters.add(waiter); // before the look, so that no signal after it is missed
        } finally {
            lock.unlock();
        }
        int ready = poll(events, OpenFile.POLLIN, in) | poll(events, OpenFile.POLLOUT, out);
        if (ready != 0) {
            cancel(waiter);
        }
        return ready;
    }

    private int poll(int events, int event, Armed armed) {
        if ((events & event) == 0) {
            return 0;
        }
        lock.lock();
        try {
            if (armed.active) {
                return 0;
            }
            armed.active = true;
        } finally {
            lock.unlock();
        }
        services.points.pollArming.reached();
        buffer.fileReference().get();
        boolean waits;
        try {
            waits = arm(armed);
        } catch (ErrnoException e) { // no memory for the list: whoever sleeps looks again
            fired(armed, null);
            return 0;
        }
        if (waits) {
            if (services.trace.pollArmed.isOn()) {
                services.trace.pollArmed.emit(
                        new DmaBufEvents.PollArmed(buffer.id(), event == OpenFile.POLLOUT));
            }
            return 0;
        }
        fired(armed, null);
        return event;
    }

    private boolean arm(Armed armed) {
        List<Fence> fences = buffer.reservation().getFences(armed.usage);
        boolean done = false;
        for (Fence fence : fences) {
            if (!done && fence.addCallback(armed)) {
                done = true; // its reference stays with the callback
            } else {
                fence.put();
            }
        }
        return done;
    }

    /** In atomic context: wakes everybody, and lets go of the buffer. */
    private void fired(Armed armed, @Nullable Fence fence) {
        List<PollWaiter> woken;
        lock.lock();
        try {
            armed.active = false;
            woken = List.copyOf(waiters);
            waiters.clear();
        } finally {
            lock.unlock();
        }
        for (PollWaiter waiter : woken) {
            try {
                waiter.wake();
            } catch (RuntimeException | LinkageError | AssertionError e) {
                services.report(
                        "CK-7",
                        Severity.WRONG,
                        waiter.getClass().getPackageName(),
                        buffer,
                        "a poller of %s threw %s when it was woken".formatted(buffer, e));
            }
        }
        if (fence != null) {
            fence.put();
        }
        buffer.putLater();
    }

    /** Some waiters are not woken any more. */
    void forget(Predicate<? super PollWaiter> which) {
        lock.lock();
        try {
            waiters.removeIf(which);
        } finally {
            lock.unlock();
        }
    }

    boolean cancel(PollWaiter waiter) {
        lock.lock();
        try {
            return waiters.remove(waiter);
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many directions wait for a fence} */
    int armed() {
        lock.lock();
        try {
            return (in.active ? 1 : 0) + (out.active ? 1 : 0);
        } finally {
            lock.unlock();
        }
    }
}
