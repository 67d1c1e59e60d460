package org.peerlane.trace.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.exec.api.NamedLock;

/**
 * The machine's tracepoints and those who listen to them. One service for the whole machine; a test
 * makes its own.
 *
 * <p><b>Locks.</b> One, around changes of the lists only; emitting takes none.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public final class Tracer {
    private final LongSupplier clock;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Map<Class<?>, Tracepoint<?>> points = new LinkedHashMap<>();

    /** Guarded by lock. */
    private final List<TraceSink> sinks = new ArrayList<>();

    private final LongAdder lost = new LongAdder();

    /**
     * @param clock stamps events, nanoseconds
     * @param lock guards the lists
     */
    public Tracer(LongSupplier clock, NamedLock lock) {
        this.clock = clock;
        this.lock = lock;
    }

    /** {@return the tracepoint of an event type, always the same one} */
    @SuppressWarnings("unchecked") // the map's value is made from its key
    public <E extends TraceEvent> Tracepoint<E> point(Class<E> type) {
        lock.lock();
        try {
            Tracepoint<E> point = (Tracepoint<E>) points.get(type);
            if (point == null) {
                point = new Tracepoint<>(type, this);
                points.put(type, point);
                connect(point);
            }
            return point;
        } finally {
            lock.unlock();
        }
    }

    /** {@return the event types asked for so far, oldest first} */
    public List<Class<?>> types() {
        lock.lock();
        try {
            return List.copyOf(points.keySet());
        } finally {
            lock.unlock();
        }
    }

    /** Adds a listener; it gets events from now on. */
    public void attach(TraceSink sink) {
        lock.lock();
        try {
            sinks.add(sink);
            points.values().forEach(this::connect);
        } finally {
            lock.unlock();
        }
    }

    /** Removes a listener; an event that is on its way may still come. */
    public void detach(TraceSink sink) {
        lock.lock();
        try {
            sinks.remove(sink);
            points.values().forEach(this::connect);
        } finally {
            lock.unlock();
        }
    }

    /** Asks every listener again what it wants. */
    public void refresh() {
        lock.lock();
        try {
            points.values().forEach(this::connect);
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many events a listener failed to take, because it threw} */
    public long lost() {
        return lost.sum();
    }

    long nanoTime() {
        return clock.getAsLong();
    }

    void deliver(TraceSink sink, long nanos, TraceEvent event) {
        try {
            sink.accept(nanos, event);
        } catch (RuntimeException e) {
            lost.increment();
        }
    }

    private void connect(Tracepoint<?> point) {
        assert lock.isHeldByCurrentThread();
        point.sinks(sinks.stream().filter(s -> s.wants(point.type())).toArray(TraceSink[]::new));
    }
}
