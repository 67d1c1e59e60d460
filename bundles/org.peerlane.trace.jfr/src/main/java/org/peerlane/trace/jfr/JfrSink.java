package org.peerlane.trace.jfr;

import java.util.concurrent.ConcurrentHashMap;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;
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
 * Every trace event as a JFR event {@code peerlane.<name>} with the same fields. It wants events
 * only while a recording runs, so that without one nothing is emitted.
 *
 * <p><b>Life.</b> The JFR types are registered when first seen and taken back when the plugin goes.
 */
@Component(service = TraceSink.class, immediate = true)
public final class JfrSink implements TraceSink {
    private final ConcurrentHashMap<Class<?>, JfrType> types = new ConcurrentHashMap<>();

    private final FlightRecorderListener recordings =
            new FlightRecorderListener() {
                @Override
                public void recordingStateChanged(Recording recording) {
                    recordingChanged(recording.getState());
                }
            };

    private volatile boolean recording;

    /**
     * Not injected by the constructor: the tracer asks its sinks, and a cycle would never start.
     */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    volatile @Nullable Tracer tracer;

    /** For the framework. */
    @Activate
    public JfrSink() {
        FlightRecorder.addListener(recordings);
        recording = isRecording();
    }

    @Deactivate
    void close() {
        FlightRecorder.removeListener(recordings);
        recording = false;
        types.values().forEach(JfrType::unregister);
        types.clear();
    }

    private static boolean isRecording() {
        return FlightRecorder.isInitialized()
                && FlightRecorder.getFlightRecorder().getRecordings().stream()
                        .anyMatch(r -> r.getState() == RecordingState.RUNNING);
    }

    private void recordingChanged(RecordingState state) {
        boolean now = state == RecordingState.RUNNING || isRecording();
        Tracer listening = tracer;
        if (now != recording) {
            recording = now;
            if (listening != null) {
                listening.refresh();
            }
        }
    }

    @Override
    public boolean wants(Class<? extends TraceEvent> type) {
        if (recording) {
            types.computeIfAbsent(type, JfrType::new);
        }
        return recording;
    }

    @Override
    public void accept(long nanos, TraceEvent event) {
        JfrType type = types.get(event.getClass());
        if (type != null) {
            type.commit(event);
        }
    }
}
