package org.peerlane.trace.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.trace.api.TraceEvent;

@DisplayName("Ring of events")
class RingTest {
    record Numbered(int writer, int number) implements TraceEvent {}

    private static List<Object> events(Ring ring, int count) {
        return ring.last(count).stream().map(Ring.Entry::event).toList();
    }

    @ParameterizedTest(name = "{0} asked, {1} kept")
    @CsvSource({"2, 2", "3, 4", "4, 4", "1000, 1024", "16777216, 16777216"})
    void capacityIsRoundedUpToAPowerOfTwo(int asked, int kept) {
        assertThat(new Ring(asked).capacity()).isEqualTo(kept);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, 16777217})
    void aCapacityThatCannotBeIsRefused(int capacity) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Ring(capacity))
                .withMessageContaining(Integer.toString(capacity));
    }

    @Test
    void theOldestIsOverwrittenFirst() {
        Ring ring = new Ring(4);
        for (int i = 0; i < 10; i++) {
            ring.add(i, new Numbered(0, i));
        }
        assertThat(events(ring, 100))
                .containsExactly(
                        new Numbered(0, 6),
                        new Numbered(0, 7),
                        new Numbered(0, 8),
                        new Numbered(0, 9));
        assertThat(events(ring, 2)).containsExactly(new Numbered(0, 8), new Numbered(0, 9));
    }

    @Test
    void aWriterThatWasOvertakenByALapDoesNotOverwriteTheNewerEvent() {
        Ring ring = new Ring(2);
        for (int i = 0; i < 4; i++) {
            ring.add(i, new Numbered(0, i));
        }
        ring.put(new Ring.Entry(1, 1, "late", new Numbered(0, 1)));
        assertThat(events(ring, 2)).containsExactly(new Numbered(0, 2), new Numbered(0, 3));
    }

    @Test
    void nothingIsLeftAfterClearAndItGoesOn() {
        Ring ring = new Ring(4);
        ring.add(0, new Numbered(0, 0));
        ring.clear();
        assertThat(ring.last(4)).isEmpty();
        ring.add(1, new Numbered(0, 1));
        assertThat(events(ring, 4)).containsExactly(new Numbered(0, 1));
    }

    @Test
    void settledEventsReadTheSameAndAreTextOnly() {
        Ring ring = new Ring(4);
        ring.add(5, new Numbered(3, 4));
        String before = EventText.of(ring.last(1).getFirst().event());

        ring.settle(Numbered.class::equals);

        Object after = ring.last(1).getFirst().event();
        assertThat(after).isInstanceOf(EventText.Settled.class);
        assertThat(EventText.of(after)).isEqualTo(before).isEqualTo("Numbered writer=3 number=4");
    }

    @Test
    void eachOfManyWritersKeepsItsOrderAndLosesNothing() throws InterruptedException {
        int writers = 4;
        int each = 10_000;
        Ring ring = new Ring(writers * each);
        List<Thread> threads = new ArrayList<>();
        for (int w = 0; w < writers; w++) {
            int writer = w;
            threads.add(
                    Thread.startVirtualThread(() -> {
                        for (int i = 0; i < each; i++) {
                            ring.add(i, new Numbered(writer, i));
                        }
                    }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        List<Object> all = events(ring, ring.capacity());
        assertThat(all).hasSize(writers * each);
        for (int w = 0; w < writers; w++) {
            int writer = w;
            assertThat(all.stream().map(Numbered.class::cast).filter(n -> n.writer() == writer))
                    .containsExactlyElementsOf(
                            IntStream.range(0, each)
                                    .mapToObj(i -> new Numbered(writer, i))
                                    .toList());
        }
    }
}
