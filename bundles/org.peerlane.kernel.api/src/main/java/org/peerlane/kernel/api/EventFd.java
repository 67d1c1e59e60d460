package org.peerlane.kernel.api;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A counter that one side adds to and the other reads and waits for. Kernel counterpart: {@code
 * eventfd}.
 *
 * <p><b>Life.</b> One reference, its maker's, at first; nothing happens at the last put.
 *
 * <p><b>Threads.</b> Any, without a lock; adding may be done where one must not sleep.
 */
public final class EventFd extends CountedFile {
    /** The most that it can hold. */
    public static final long MOST = -2; // unsigned: 2^64 - 2

    private final AtomicLong count = new AtomicLong();
    private final List<PollWaiter> waiters = new CopyOnWriteArrayList<>();

    /** Makes one that holds 0. */
    public EventFd() {
        super("eventfd");
    }

    /** Adds one, and wakes who waits. What would go past {@link #MOST} is dropped. */
    public void signal() {
        long now;
        do {
            now = count.get();
        } while (now != MOST && !count.compareAndSet(now, now + 1));
        for (PollWaiter waiter : List.copyOf(waiters)) {
            if (waiters.remove(waiter)) {
                waiter.wake();
            }
        }
    }

    /** {@return what was added since the last read; 0: nothing} It holds 0 after that. */
    public long take() {
        return count.getAndSet(0);
    }

    /**
     * {@return what was added since the last read} It holds 0 after that.
     *
     * @throws ErrnoException {@code EAGAIN} nothing
     */
    public long read() {
        long taken = take();
        if (taken == 0) {
            throw new ErrnoException(Errno.EAGAIN, "nothing has been added to the eventfd");
        }
        return taken;
    }

    @Override
    public String fileType() {
        return "eventfd";
    }

    @Override
    public int poll(int events) {
        long now = count.get();
        int ready = (now != 0 ? POLLIN : 0) | (now != MOST ? POLLOUT : 0);
        return events & ready;
    }

    /** The waiter is in the list before the counter is looked at, so no signal is missed. */
    @Override
    public int poll(int events, PollWaiter waiter) {
        waiters.add(waiter);
        return poll(events);
    }

    @Override
    public boolean cancelPoll(PollWaiter waiter) {
        return waiters.remove(waiter);
    }
}
