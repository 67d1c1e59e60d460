package org.peerlane.trace.jfr;

import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import org.osgi.framework.FrameworkUtil;
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
 * Every trace event as a JFR event {@code org.peerlane.<name>} with the same fields. It wants
 * events only while a recording that takes them runs: without one nothing is emitted.
 *
 * <p><b>Life.</b> A JFR type is registered when the first recording runs, and taken back when the
 * bundle of the event stops or the plugin goes.
 *
 * <p><b>Threads.</b> Any; recordings report on the thread that starts and stops them.
 */
@Component(service = TraceSink.class, immediate = true)
public final class JfrSink implements TraceSink {
    private final ConcurrentHashMap<Class<?>, JfrType> types = new ConcurrentHashMap<>();
    private final BundleListener departures = this::bundleChanged;

    private final FlightRecorderListener recordings =
            new FlightRecorderListener() {
                @Override
                public void recordingStateChanged(Recording recording) {
                    recordingChanged();
                }
            };

    private volatile boolean recording;
    private volatile @Nullable Tracer tracer;

    /**
     * For the framework.
     *
     * @param context tells which bundles stop
     */
    @Activate
    public JfrSink(BundleContext context) {
        this();
        context.addBundleListener(departures);
    }

    /** Follows recordings until {@link #close}. */
    public JfrSink() {
        FlightRecorder.addListener(recordings);
        recording = isRecording();
    }

    @Deactivate
    void deactivate(BundleContext context) {
        context.removeBundleListener(departures);
        close();
    }

    /** Follows no more recordings and takes the JFR types back. */
    public void close() {
        FlightRecorder.removeListener(recordings);
        recording = false;
        forget(type -> true);
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

    private static boolean isRecording() {
        return FlightRecorder.isInitialized()
                && FlightRecorder.getFlightRecorder().getRecordings().stream()
                        .anyMatch(r -> r.getState() == RecordingState.RUNNING);
    }

    private void recordingChanged() {
        recording = isRecording();
        Tracer asks = tracer;
        if (asks != null) {
            asks.refresh();
        }
    }

    private void bundleChanged(BundleEvent event) {
        int gone = BundleEvent.STOPPED | BundleEvent.UNRESOLVED | BundleEvent.UNINSTALLED;
        if ((event.getType() & gone) != 0) {
            Bundle bundle = event.getBundle();
            forget(type -> bundle.equals(FrameworkUtil.getBundle(type)));
        }
    }

    private void forget(Predicate<Class<?>> which) {
        for (JfrType type : types.values()) {
            if (which.test(type.event()) && types.remove(type.event(), type)) {
                type.unregister();
            }
        }
    }

    @Override
    public boolean wants(Class<? extends TraceEvent> type) {
        return recording && types.computeIfAbsent(type, JfrType::new).isEnabled();
    }

    @Override
    public void accept(long nanos, TraceEvent event) {
        JfrType type = types.get(event.getClass());
        if (type != null) {
            type.commit(nanos, event);
        }
    }
}
