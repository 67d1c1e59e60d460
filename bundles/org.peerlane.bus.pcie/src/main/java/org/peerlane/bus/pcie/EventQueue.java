package org.peerlane.bus.pcie;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Whatever comes or goes, one after the other on a thread of its own. Whoever brings an event goes
 * on at once, or waits for it with a limit.
 *
 * <p><b>Locks.</b> {@code bus.life-cycle}, a leaf; events run without it.
 */
final class EventQueue {
    private static final Logger LOG = LogManager.getLogger(EventQueue.class);

    private final Execution execution;
    private final NamedLock lock;
    private final Condition arrived;
    private final Condition changed;

    /** Guarded by lock, as all below. */
    private final Deque<Event> waiting = new ArrayDeque<>();

    private @Nullable Event running;
    private @Nullable Thread carrier;
    private boolean closed;

    private volatile String doing = "nothing";

    /** Something that came, and whether it has been dealt with. */
    static final class Event {
        private final Runnable body;

        /** Guarded by lock, as expired. */
        private boolean done;

        private boolean expired;

        private Event(Runnable body) {
            this.body = body;
        }
    }

    EventQueue(Execution execution) {
        this.execution = execution;
        lock = execution.lock("bus.life-cycle");
        arrived = lock.newCondition("arrived");
        changed = lock.newCondition("done");
        var _ = execution.start(ThreadKind.BLOCKING, "bus.life-cycle", this::work);
    }

    /** Adds an event; after {@link #close} it is dropped. */
    Event submit(Runnable body) {
        Event event = new Event(body);
        lock.lock();
        try {
            if (closed) {
                event.done = true;
            } else {
                waiting.add(event);
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
        return event;
    }

    /**
     * Does something on the queue's thread and waits for it.
     *
     * @param what for the message if it takes too long
     * @throws ErrnoException {@code ETIMEDOUT} it is not done yet; {@code EINTR} the waiting thread
     *     was interrupted; or what the body threw
     */
    void call(String what, long timeoutNanos, Runnable body) {
        if (isCurrent()) {
            body.run();
            return;
        }
        AtomicReference<@Nullable RuntimeException> thrown = new AtomicReference<>();
        Event event =
                submit(() -> {
                    try {
                        body.run();
                    } catch (RuntimeException e) {
                        thrown.set(e);
                    }
                });
        try {
            if (!await(event, timeoutNanos)) {
                throw new ErrnoException(
                        Errno.ETIMEDOUT,
                        "%s takes more than %d s; the bus is at: %s"
                                .formatted(what, timeoutNanos / 1_000_000_000L, doing));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while waiting for " + what);
        }
        RuntimeException failure = thrown.get();
        if (failure != null) {
            throw failure;
        }
    }

    /** Says what the running event is at, for whoever waits in vain. */
    void doing(String what) {
        doing = what;
    }

    /** {@return what the running event is at} */
    String doing() {
        return doing;
    }

    /**
     * Waits for an event. On the queue's own thread it cannot.
     *
     * @return whether it has been dealt with
     * @throws InterruptedException the waiting thread was interrupted
     */
    boolean await(Event event, long timeoutNanos) throws InterruptedException {
        Timer limit = execution.schedule("bus.life-cycle.limit", timeoutNanos, () -> expire(event));
        lock.lock();
        try {
            while (!event.done && !event.expired && Thread.currentThread() != carrier) {
                changed.await();
            }
            return event.done;
        } finally {
            lock.unlock();
            limit.cancel();
        }
    }

    /** {@return whether this is the queue's own thread} */
    boolean isCurrent() {
        lock.lock();
        try {
            return Thread.currentThread() == carrier;
        } finally {
            lock.unlock();
        }
    }

    private void expire(Event event) {
        lock.lock();
        try {
            event.expired = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Takes no more events; the thread ends once those that wait have been dealt with. */
    void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        boolean more = true;
        while (more) {
            more = workOnce();
        }
    }

    /**
     * In a frame of its own, so that the thread does not hold on to what it has done while it
     * waits: that may be the removal of a driver, whose bundle is gone by then.
     *
     * @return false: closed
     */
    private boolean workOnce() {
        Event event = next();
        if (event == null) {
            return false;
        }
        try {
            event.body.run();
        } catch (RuntimeException | Error e) {
            LOG.error("life cycle: failed at {}", doing, e);
        }
        doing = "nothing";
        done();
        return true;
    }

    private void done() {
        lock.lock();
        try {
            if (running != null) {
                running.done = true;
                running = null;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** {@return the next, or null: closed} */
    private @Nullable Event next() {
        lock.lock();
        try {
            carrier = Thread.currentThread();
            while (waiting.isEmpty() && !closed) {
                arrived.awaitUninterruptibly();
            }
            running = waiting.poll();
            return running;
        } finally {
            lock.unlock();
        }
    }
}
