package org.peerlane.trace.jfr;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

@DisplayName("Trace to JFR")
class JfrSinkTest {
    enum Kind {
        FUNCTION_LEVEL
    }

    record DmaDone(
            int requester, long busAddress, long bytes, boolean posted, String status, Kind kind)
            implements TraceEvent {}

    record Timed(long duration, String nanos) implements TraceEvent {}

    private static final DmaDone DONE =
            new DmaDone(0x100, 0x1_0000_0000L, 4096, true, "SUCCESS", Kind.FUNCTION_LEVEL);

    private final Tracer tracer = new Tracer(() -> 77, new NamedLock("trace") {});
    private final Tracepoint<DmaDone> done = tracer.point(DmaDone.class);
    private final Tracepoint<Timed> timed = tracer.point(Timed.class);
    private final JfrSink sink = new JfrSink();

    @TempDir Path folder;

    @BeforeEach
    void start() {
        sink.bindTracer(tracer);
        tracer.attach(sink);
    }

    @AfterEach
    void stop() {
        tracer.detach(sink);
        sink.close();
    }

    private List<RecordedEvent> stop(Recording recording) throws IOException {
        recording.stop();
        Path file = folder.resolve("test.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
                .filter(e -> e.getEventType().getName().startsWith("org.peerlane."))
                .toList();
    }

    private static List<String> registered() {
        return FlightRecorder.getFlightRecorder().getEventTypes().stream()
                .map(EventType::getName)
                .filter(name -> name.startsWith("org.peerlane."))
                .sorted()
                .toList();
    }

    @Test
    void aRecordingHoldsTheEventWithItsFields() throws IOException {
        try (Recording recording = new Recording()) {
            recording.start();
            done.emit(DONE);

            List<RecordedEvent> events = stop(recording);

            assertThat(events).hasSize(1);
            RecordedEvent event = events.getFirst();
            assertThat(event.getEventType().getName()).isEqualTo("org.peerlane.DmaDone");
            assertThat(event.getEventType().getLabel()).isEqualTo("Dma Done");
            assertThat(event.getEventType().getCategoryNames()).containsExactly("Peerlane");
            assertThat(event.getThread().getJavaName()).isEqualTo(Thread.currentThread().getName());
            assertThat(event.getLong("nanos")).isEqualTo(77);
            assertThat(event.getInt("requester")).isEqualTo(0x100);
            assertThat(event.getLong("busAddress")).isEqualTo(0x1_0000_0000L);
            assertThat(event.getLong("bytes")).isEqualTo(4096);
            assertThat(event.getBoolean("posted")).isTrue();
            assertThat(event.getString("status")).isEqualTo("SUCCESS");
            assertThat(event.getString("kind")).isEqualTo("FUNCTION_LEVEL");
            assertThat(event.getEventType().getField("busAddress").getContentType())
                    .isEqualTo("jdk.jfr.MemoryAddress");
        }
    }

    @Test
    void aFieldOfANameThatJfrKeepsForItselfGetsAnUnderscore() throws IOException {
        try (Recording recording = new Recording()) {
            recording.start();
            timed.emit(new Timed(5, "soon"));
            RecordedEvent event = stop(recording).getFirst();
            assertThat(event.getLong("duration_")).isEqualTo(5);
            assertThat(event.getString("nanos_")).isEqualTo("soon");
        }
    }

    @Test
    void onlyARunningRecordingSwitchesEventsOn() {
        assertThat(done.isOn()).isFalse();
        try (Recording first = new Recording();
                Recording second = new Recording()) {
            assertThat(done.isOn()).as("recording not started").isFalse();
            first.start();
            second.start();
            assertThat(done.isOn()).isTrue();
            first.stop();
            assertThat(done.isOn()).as("one still runs").isTrue();
            second.stop();
            assertThat(done.isOn()).isFalse();
        }
    }

    @Test
    void aRecordingThatDoesNotTakeAnEventDoesNotSwitchItOn() {
        try (Recording recording = new Recording()) {
            recording.disable("org.peerlane.DmaDone");
            recording.start();
            assertThat(done.isOn()).isFalse();
            assertThat(timed.isOn()).isTrue();
        }
    }

    @Test
    void aRecordingFromBeforeTheSinkCounts() throws IOException {
        try (Recording recording = new Recording()) {
            recording.start();
            Tracer later = new Tracer(() -> 1, new NamedLock("trace") {});
            JfrSink second = new JfrSink();
            later.attach(second);
            later.point(Timed.class).emit(new Timed(1, "one"));
            second.close();
            assertThat(stop(recording)).hasSize(1);
        }
    }

    @Test
    void nothingIsLeftRegisteredAfterClose() {
        try (Recording recording = new Recording()) {
            recording.start();
            assertThat(registered()).containsExactly("org.peerlane.DmaDone", "org.peerlane.Timed");

            tracer.detach(sink);
            sink.close();

            assertThat(registered()).isEmpty();
            assertThat(done.isOn()).isFalse();
            assertThat(sink.wants(DmaDone.class)).isFalse();
        }
    }
}
