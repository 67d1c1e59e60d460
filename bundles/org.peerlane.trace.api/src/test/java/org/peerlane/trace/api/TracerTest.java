package org.peerlane.trace.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.NamedLock;

@DisplayName("Tracer")
class TracerTest {
    record Copied(long address, long bytes) implements TraceEvent {}

    record Reset(String slot) implements TraceEvent {}

    /** Takes one type of event and remembers it with its time. */
    private static class Listener implements TraceSink {
        final List<Object> taken = new ArrayList<>();
        volatile boolean wants = true;

        @Override
        public boolean wants(Class<? extends TraceEvent> type) {
            return wants && type == Copied.class;
        }

        @Override
        public void accept(long nanos, TraceEvent event) {
            taken.add(nanos);
            taken.add(event);
        }
    }

    private final NamedLock lock = new NamedLock("trace") {};
    private long now = 42;
    private final Tracer tracer = new Tracer(() -> now, lock);
    private final Listener listener = new Listener();

    @Test
    void aPointIsOffUntilSomebodyWantsItsEvents() {
        Tracepoint<Copied> copied = tracer.point(Copied.class);
        Tracepoint<Reset> reset = tracer.point(Reset.class);
        assertThat(copied.isOn()).isFalse();

        tracer.attach(listener);

        assertThat(copied.isOn()).isTrue();
        assertThat(reset.isOn()).as("not wanted").isFalse();
        tracer.detach(listener);
        assertThat(copied.isOn()).isFalse();
    }

    @Test
    void aPointMadeAfterTheListenerCameIsOnFromTheStart() {
        tracer.attach(listener);
        assertThat(tracer.point(Copied.class).isOn()).isTrue();
    }

    @Test
    void anEventReachesAllWhoListenWithOneTime() {
        Listener second = new Listener();
        tracer.attach(listener);
        tracer.attach(second);

        tracer.point(Copied.class).emit(new Copied(0x1000, 64));

        assertThat(listener.taken).containsExactly(42L, new Copied(0x1000, 64));
        assertThat(second.taken).isEqualTo(listener.taken);
    }

    @Test
    void refreshAsksAgain() {
        tracer.attach(listener);
        Tracepoint<Copied> copied = tracer.point(Copied.class);
        listener.wants = false;
        assertThat(copied.isOn()).as("before the refresh").isTrue();
        tracer.refresh();
        assertThat(copied.isOn()).isFalse();
    }

    @Test
    void aListenerThatThrowsLosesItsEventAndNobodyElseDoes() {
        TraceSink broken =
                new Listener() {
                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        throw new IllegalStateException("broken");
                    }
                };
        tracer.attach(broken);
        tracer.attach(listener);

        tracer.point(Copied.class).emit(new Copied(0, 1));

        assertThat(listener.taken).contains(new Copied(0, 1));
        assertThat(tracer.lost()).isEqualTo(1);
    }

    @Test
    void aListenerThatCannotSayWhatItWantsGetsNothingAndHarmsNobody() {
        tracer.attach(
                new Listener() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> type) {
                        throw new IllegalStateException("broken");
                    }
                });
        tracer.attach(listener);

        tracer.point(Copied.class).emit(new Copied(0, 1));

        assertThat(listener.taken).contains(new Copied(0, 1));
        assertThat(tracer.lost()).isZero();
    }

    @Test
    void noSinkIsCalledWithTheLockHeld() {
        List<Boolean> held = new ArrayList<>();
        tracer.attach(
                new Listener() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> type) {
                        held.add(lock.isHeldByCurrentThread());
                        return true;
                    }

                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        held.add(lock.isHeldByCurrentThread());
                    }
                });
        tracer.point(Copied.class).emit(new Copied(0, 1));
        tracer.refresh();
        assertThat(held).hasSize(3).containsOnly(false);
    }

    @Test
    void aChangeDuringTheQuestionIsNotOverwrittenByTheStaleAnswer() {
        Listener late = new Listener();
        tracer.attach(
                new Listener() {
                    private boolean first = true;

                    @Override
                    public boolean wants(Class<? extends TraceEvent> type) {
                        if (first) {
                            first = false;
                            tracer.attach(late);
                        }
                        return false;
                    }
                });

        tracer.point(Copied.class).emit(new Copied(7, 7));

        assertThat(late.taken).contains(new Copied(7, 7));
    }

    @Test
    void allWhoKeepAPointShareIt() {
        Tracepoint<Copied> copied = tracer.point(Copied.class);
        assertThat(tracer.point(Copied.class)).isSameAs(copied);
        assertThat(tracer.types()).containsExactly(Copied.class);
    }

    @Test
    void theTypeOfAnEmitterThatHasGoneIsForgotten() {
        tracer.attach(listener);
        WeakReference<?> gone = new WeakReference<>(tracer.point(Copied.class));
        Tracepoint<Reset> kept = tracer.point(Reset.class);
        for (int i = 0; i < 100 && gone.get() != null; i++) {
            System.gc();
        }
        assertThat(tracer.types()).containsExactly(Reset.class);
        assertThat(kept.type()).isEqualTo(Reset.class);
    }
}
