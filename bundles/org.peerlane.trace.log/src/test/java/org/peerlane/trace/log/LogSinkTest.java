package org.peerlane.trace.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LoggerContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

@DisplayName("Trace to log")
class LogSinkTest {
    record DmaWrite(int requester, String slot) implements TraceEvent {}

    record Reset(String slot) implements TraceEvent {}

    private static final LoggerContext LOG4J = (LoggerContext) LogManager.getContext(false);

    private final Tracer tracer = new Tracer(() -> 77, new NamedLock("trace") {});
    private final Tracepoint<DmaWrite> write = tracer.point(DmaWrite.class);
    private final Tracepoint<Reset> reset = tracer.point(Reset.class);
    private final LogSink sink = new LogSink();

    @TempDir Path folder;

    @BeforeEach
    void start() throws IOException {
        configure("");
        sink.bindTracer(tracer);
        tracer.attach(sink);
    }

    @AfterEach
    void stop() {
        tracer.detach(sink);
        sink.close();
        LOG4J.setConfigLocation(null);
    }

    /** What a user does: writes other loggers into the file, which Log4j then reads. */
    private void configure(String loggers) throws IOException {
        Path file = folder.resolve("log4j2.xml");
        Files.writeString(
                file,
                """
                <Configuration status="error">
                  <Appenders><File name="file" fileName="%s">
                    <PatternLayout pattern="%%level %%logger %%msg%%n"/>
                  </File></Appenders>
                  <Loggers>%s<Root level="debug"><AppenderRef ref="file"/></Root></Loggers>
                </Configuration>
                """
                        .formatted(folder.resolve("out.log"), loggers));
        LOG4J.setConfigLocation(file.toUri());
    }

    private List<String> written() throws IOException {
        return Files.readAllLines(folder.resolve("out.log"));
    }

    @Test
    void withoutALoggerAtTraceLevelNothingIsWanted() {
        assertThat(write.isOn() || reset.isOn()).isFalse();
    }

    @Test
    void aLoggerAtTraceLevelSwitchesItsEventOnWhenTheFileIsReadAgain() throws IOException {
        configure("<Logger name='trace.DmaWrite' level='trace'/>");

        assertThat(write.isOn()).isTrue();
        assertThat(reset.isOn()).isFalse();
        write.emit(new DmaWrite(256, "edu0"));
        assertThat(written())
                .containsExactly("TRACE trace.DmaWrite 77 DmaWrite[requester=256, slot=edu0]");

        configure("");
        assertThat(write.isOn()).isFalse();
    }

    @Test
    void theParentLoggerSwitchesAll() throws IOException {
        configure("<Logger name='trace' level='trace'/>");
        assertThat(write.isOn() && reset.isOn()).isTrue();
    }

    @Test
    void aSinkThatIsClosedFollowsTheFileNoMore() throws IOException {
        sink.close();
        configure("<Logger name='trace' level='trace'/>");
        assertThat(write.isOn()).isFalse();
    }
}
