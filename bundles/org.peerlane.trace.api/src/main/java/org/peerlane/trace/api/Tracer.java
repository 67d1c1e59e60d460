package org.peerlane.trace.api;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.exec.api.NamedLock;

/**
 * The machine's tracepoints and those who listen to them. One service for the whole machine; a test
 * makes its own.
 *
 * <p><b>Life.</b> A tracepoint is kept as long as somebody who emits keeps it: the event types of a
 * plugin that has gone are forgotten, and its class loader with them.
 *
 * <p><b>Locks.</b> One, around changes of the lists only. Emitting takes none, and no sink is
 * called with it held.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public final class Tracer {
    private static final Logger LOG = LogManager.getLogger(Tracer.class);

    private final LongSupplier clock;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final List<WeakReference<Tracepoint<?>>> points = new ArrayList<>();

    /** Guarded by lock. */
    private final List<TraceSink> sinks = new ArrayList<>();

    /** How often what is listened to may have changed. Guarded by lock. */
    private long changes;

    private final AtomicLong lost = new AtomicLong();

    /**
     * @param clock stamps events, nanoseconds
     * @param lock guards the lists
     */
    public Tracer(LongSupplier clock, NamedLock lock) {
        this.clock = clock;
        this.lock = lock;
    }

    /** {@return the tracepoint of an event type, the same one for all who keep it} */
    public <E extends TraceEvent> Tracepoint<E> point(Class<E> type) {
        Tracepoint<E> point;
        lock.lock();
        try {
            Tracepoint<E> known = find(type);
            if (known != null) {
                return known;
            }
            point = new Tracepoint<>(type, this);
            points.add(new WeakReference<>(point));
            changes++;
        } finally {
            lock.unlock();
        }
        connect();
        return point;
    }

    @SuppressWarnings("unchecked") // the type of a point's events is the one it was made with
    private <E extends TraceEvent> @Nullable Tracepoint<E> find(Class<E> type) {
        for (Tracepoint<?> point : living()) {
            if (point.type() == type) {
                return (Tracepoint<E>) point;
            }
        }
        return null;
    }

    /** {@return the event types that somebody may emit, oldest first} */
    public List<Class<? extends TraceEvent>> types() {
        lock.lock();
        try {
            List<Class<? extends TraceEvent>> types = new ArrayList<>();
            living().forEach(point -> types.add(point.type()));
            return types;
        } finally {
            lock.unlock();
        }
    }

    /** Adds a listener; it gets events from now on. */
    public void attach(TraceSink sink) {
        lock.lock();
        try {
            sinks.add(sink);
            changes++;
        } finally {
            lock.unlock();
        }
        connect();
    }

    /** Removes a listener; an event that is on its way may still come. */
    public void detach(TraceSink sink) {
        lock.lock();
        try {
            sinks.remove(sink);
            changes++;
        } finally {
            lock.unlock();
        }
        connect();
    }

    /** Asks every listener again what it wants. */
    public void refresh() {
        lock.lock();
        try {
            changes++;
        } finally {
            lock.unlock();
        }
        connect();
    }

    /** {@return how many events a listener failed to take, because it threw} */
    public long lost() {
        return lost.get();
    }

    long nanoTime() {
        return clock.getAsLong();
    }

    void deliver(TraceSink sink, long nanos, TraceEvent event) {
        try {
            sink.accept(nanos, event);
        } catch (RuntimeException | LinkageError e) {
            if (lost.getAndIncrement() == 0) {
                LOG.warn("{} did not take {}; further losses are only counted", sink, event, e);
            }
        }
    }

    /**
     * Gives each tracepoint those who want it. The sinks are asked without the lock; if anything
     * changed meanwhile the answers are stale, and they are asked again.
     */
    private void connect() {
        while (true) {
            List<Tracepoint<?>> asked;
            List<TraceSink> listeners;
            long before;
            lock.lock();
            try {
                asked = living();
                listeners = List.copyOf(sinks);
                before = changes;
            } finally {
                lock.unlock();
            }
            List<TraceSink[]> answers = new ArrayList<>();
            for (Tracepoint<?> point : asked) {
                answers.add(
                        listeners.stream()
                                .filter(sink -> wants(sink, point.type()))
                                .toArray(TraceSink[]::new));
            }
            lock.lock();
            try {
                if (changes == before) {
                    for (int i = 0; i < answers.size(); i++) {
                        asked.get(i).sinks(answers.get(i));
                    }
                    return;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private static boolean wants(TraceSink sink, Class<? extends TraceEvent> type) {
        try {
            return sink.wants(type);
        } catch (RuntimeException | LinkageError e) {
            LOG.warn("{} does not say whether it wants {}", sink, type.getSimpleName(), e);
            return false;
        }
    }

    /** Forgets the points that nobody keeps any more. */
    private List<Tracepoint<?>> living() {
        assert lock.isHeldByCurrentThread();
        List<Tracepoint<?>> living = new ArrayList<>();
        points.removeIf(reference -> {
            Tracepoint<?> point = reference.get();
            if (point != null) {
                living.add(point);
            }
            return point == null;
        });
        return living;
    }
}
