package org.peerlane.trace.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Takes trace events. A plugin that registers one as a service gets every event whose type it
 * {@linkplain #wants wants}.
 *
 * <p><b>Threads.</b> Events come on the thread that emits them, from many at once. A sink must
 * neither block nor call back into what it traces; what it throws is counted and dropped.
 */
@ConsumerType
public interface TraceSink {
    /**
     * {@return whether events of this type shall come; asked again after {@link Tracer#refresh}}
     * Asked with no lock of the tracer's held; must not call {@link Tracer#refresh}.
     */
    boolean wants(Class<? extends TraceEvent> type);

    /**
     * Takes one event.
     *
     * @param nanos time of the event on the execution's clock, virtual under simulation
     * @param event the record
     */
    void accept(long nanos, TraceEvent event);
}
