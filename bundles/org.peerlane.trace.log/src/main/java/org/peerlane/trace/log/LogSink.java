package org.peerlane.trace.log;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.osgi.service.component.annotations.Component;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;

/**
 * Writes each event to the logger {@code trace.<name>}, at TRACE. It wants exactly the events whose
 * logger is enabled for that level when the tracer asks, so the logging configuration switches it.
 */
@Component
public final class LogSink implements TraceSink {
    private static final String PREFIX = "trace.";

    /** One logger per event type, looked up once. */
    private static final ClassValue<Logger> LOGGERS =
            new ClassValue<>() {
                @Override
                protected Logger computeValue(Class<?> type) {
                    return LogManager.getLogger(PREFIX + type.getSimpleName());
                }
            };

    @Override
    public boolean wants(Class<? extends TraceEvent> type) {
        return LOGGERS.get(type).isTraceEnabled();
    }

    @Override
    public void accept(long nanos, TraceEvent event) {
        LOGGERS.get(event.getClass()).trace("{} {}", nanos, event);
    }
}
