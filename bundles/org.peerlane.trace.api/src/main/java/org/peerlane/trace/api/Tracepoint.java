package org.peerlane.trace.api;

/**
 * A place in the code that emits one type of event. Ask the tracer for it once and keep it in a
 * field:
 *
 * <pre>{@code
 * if (dmaDone.isOn()) {
 *     dmaDone.emit(new DmaDone(requester, address, bytes));
 * }
 * }</pre>
 *
 * <p><b>Cost.</b> Off: one field read and a branch, no allocation. On: the record, and what the
 * sinks cost. <b>Threads.</b> Any.
 *
 * @param <E> the event
 */
public final class Tracepoint<E extends TraceEvent> {
    private final Class<E> type;
    private final Tracer tracer;

    /** Those who listen to this event; empty when off. Written by the tracer under its lock. */
    private volatile TraceSink[] sinks = {};

    private volatile boolean on;

    Tracepoint(Class<E> type, Tracer tracer) {
        this.type = type;
        this.tracer = tracer;
    }

    /** {@return the event's type} */
    public Class<E> type() {
        return type;
    }

    /** {@return the event's name in commands and files, such as {@code DmaDone}} */
    public String name() {
        return type.getSimpleName();
    }

    /** {@return whether anybody listens; make the event only then} */
    public boolean isOn() {
        return on;
    }

    /** Hands the event to everybody who listens, on this thread. */
    public void emit(E event) {
        TraceSink[] now = sinks;
        if (now.length == 0) {
            return;
        }
        long nanos = tracer.nanoTime();
        for (TraceSink sink : now) {
            tracer.deliver(sink, nanos, event);
        }
    }

    void sinks(TraceSink[] listening) {
        sinks = listening;
        on = listening.length != 0;
    }
}
