package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.trace.api.FallsUnder;
import org.peerlane.trace.api.TraceEvent;

@DisplayName("Trace events")
class EventRulesTest {
    static Stream<Class<?>> events() throws ClassNotFoundException {
        String here = DmaBufEvents.class.getPackageName();
        return Stream.of(
                        DmaBufEvents.class,
                        Class.forName(here + ".fence.FenceEvents"),
                        Class.forName(here + ".resv.ReservationEvents"))
                .flatMap(all -> Stream.of(all.getDeclaredClasses()))
                .filter(TraceEvent.class::isAssignableFrom);
    }

    @ParameterizedTest
    @MethodSource("events")
    void eachSaysUnderWhichRuleOfTheReferenceItFalls(Class<?> event) throws IOException {
        FallsUnder rule = event.getAnnotation(FallsUnder.class);
        assertThat(rule).isNotNull();
        assertThat(Files.readString(Path.of("../../docs/reference/dma-buf.md")))
                .contains("**" + rule.value() + "**");
    }
}
