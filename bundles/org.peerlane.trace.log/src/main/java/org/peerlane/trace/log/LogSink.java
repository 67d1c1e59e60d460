package org.peerlane.trace.log;

import java.beans.PropertyChangeEvent;
import java.beans.PropertyChangeListener;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.apache.logging.log4j.core.LoggerContext;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/**
 * Writes each event to the logger {@code trace.<name>}, at TRACE. It wants exactly the events whose
 * logger is enabled for that level, so the logging configuration switches it: when Log4j has read
 * its configuration anew, the tracer asks again.
 *
 * <p><b>Threads.</b> Any; the news of a configuration comes on a thread of Log4j's.
 */
@Component(service = TraceSink.class, immediate = true)
public final class LogSink implements TraceSink {
    private static final String PREFIX = "trace.";

    /** One logger per event type, looked up once; goes with the type. */
    private static final ClassValue<Logger> LOGGERS =
            new ClassValue<>() {
                @Override
                protected Logger computeValue(Class<?> type) {
                    return LogManager.getLogger(PREFIX + type.getSimpleName());
                }
            };

    private final PropertyChangeListener configurations = this::changed;

    /** Null if Log4j is not the one who writes the log; then nothing tells of changes. */
    private final @Nullable LoggerContext context;

    private volatile @Nullable Tracer tracer;

    /** Listens for changes of the logging configuration until {@link #close}. */
    @Activate
    public LogSink() {
        context = LogManager.getContext(false) instanceof LoggerContext log4j ? log4j : null;
        if (context != null) {
            context.addPropertyChangeListener(configurations);
        }
    }

    /** Listens no more. */
    @Deactivate
    public void close() {
        if (context != null) {
            context.removePropertyChangeListener(configurations);
        }
    }

    /**
     * The tracer has come. Not injected by the constructor: the tracer asks its sinks, and a cycle
     * would never start.
     */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindTracer(Tracer here) {
        tracer = here;
    }

    void unbindTracer(Tracer gone) {
        if (gone.equals(tracer)) {
            tracer = null;
        }
    }

    private void changed(PropertyChangeEvent change) {
        Tracer asks = tracer;
        if (asks != null && LoggerContext.PROPERTY_CONFIG.equals(change.getPropertyName())) {
            asks.refresh();
        }
    }

    @Override
    public boolean wants(Class<? extends TraceEvent> type) {
        return LOGGERS.get(type).isTraceEnabled();
    }

    @Override
    public void accept(long nanos, TraceEvent event) {
        LOGGERS.get(event.getClass()).trace("{} {}", nanos, event);
    }
}
