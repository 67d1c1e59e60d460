package org.peerlane.trace.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.trace.api.FallsUnder;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

@DisplayName("Trace commands")
class RingSinkTest {
    record DmaRead(int requester, long address, long bytes) implements TraceEvent {}

    record DmaWrite(int requester, long address, long bytes) implements TraceEvent {}

    record Reset(String slot) implements TraceEvent {}

    private long now = 1_000_000;
    private final Tracer tracer = new Tracer(() -> now, new NamedLock("trace") {});
    private final Tracepoint<DmaRead> read = tracer.point(DmaRead.class);
    private final Tracepoint<DmaWrite> write = tracer.point(DmaWrite.class);
    private final Tracepoint<Reset> reset = tracer.point(Reset.class);
    private final RingSink ring = new RingSink(16);

    RingSinkTest() {
        ring.bindTracer(tracer);
        tracer.attach(ring);
    }

    @FallsUnder("DB-25")
    record Detached(long buffer) implements TraceEvent {}

    record Moved(long buffer) implements TraceEvent {}

    @Test
    void theRuleThatAnEventFallsUnderIsShown() {
        assertThat(EventText.of(new Detached(1))).isEqualTo("Detached buffer=1 [DB-25]");
        assertThat(EventText.of(new Moved(1))).isEqualTo("Moved buffer=1");
    }

    @Test
    void nothingIsKeptUntilItIsSwitchedOn() {
        assertThat(read.isOn()).isFalse();
        assertThat(ring.show()).isEqualTo("no events kept; 'trace:on' starts");
    }

    @Test
    void onKeepsEverythingAndOffStops() {
        ring.on();
        assertThat(read.isOn() && write.isOn() && reset.isOn()).isTrue();
        reset.emit(new Reset("edu0"));
        ring.off();
        assertThat(read.isOn() || write.isOn() || reset.isOn()).isFalse();
        assertThat(ring.show()).contains("Reset slot=edu0");
    }

    @Test
    void namesAndGlobsChooseAndTheListSaysSo() {
        assertThat(ring.on("Dma*"))
                .isEqualTo("on  DmaRead\non  DmaWrite\noff Reset")
                .isEqualTo(ring.types());
        assertThat(reset.isOn()).isFalse();
        ring.on("Reset", "DmaRead");
        assertThat(read.isOn() && reset.isOn()).isTrue();
        assertThat(write.isOn()).as("the last 'on' counts").isFalse();
    }

    @Test
    void anUnknownNameIsRefusedWithThoseThatThereAreAndChangesNothing() {
        ring.on("Reset");
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> ring.on("DmaRead", "Dmaa*"))
                .withMessage(
                        "ENOENT: no event is named 'Dmaa*'; known are: DmaRead, DmaWrite, Reset")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        assertThat(ring.types()).isEqualTo("off DmaRead\noff DmaWrite\non  Reset");
    }

    @Test
    void aTypeThatComesLaterIsKeptIfItsNameMatches() {
        record DmaLost(long bytes) implements TraceEvent {}
        ring.on("Dma*");
        assertThat(tracer.point(DmaLost.class).isOn()).isTrue();
    }

    @Test
    void aLineHasTimeThreadNameAndFields() {
        ring.on();
        read.emit(new DmaRead(0x100, 0x1_0000_0000L, 4096));
        now += 1500;
        write.emit(new DmaWrite(0x100, -1, 64));
        String thread = "%-20s".formatted(Thread.currentThread().getName());
        assertThat(ring.show())
                .isEqualTo(
                        """
                               0.000 %s DmaRead requester=0x100 address=0x100000000 bytes=4096
                               1.500 %s DmaWrite requester=0x100 address=0xffffffffffffffff bytes=64\
                        """
                                .formatted(thread, thread));
        assertThat(ring.show("1")).doesNotContain("DmaRead").contains("0.000 " + thread);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-3", "all", ""})
    void aCountThatIsNoneIsRefused(String count) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> ring.show(count))
                .withMessage("EINVAL: '" + count + "' events; expected a number from 1 on");
    }

    @Test
    void clearForgetsAndKeepsTheSwitch() {
        ring.on();
        reset.emit(new Reset("edu0"));
        ring.clear();
        assertThat(ring.show()).isEqualTo("no events kept");
        assertThat(reset.isOn()).isTrue();
    }

    @Test
    void withoutATracerTheCommandsSaySo() {
        ring.unbindTracer(tracer);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(ring::on)
                .withMessage("ENODEV: the tracer is not up");
    }

    @Test
    void aCapacityThatCannotBeIsRefused() {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> new RingSink(1))
                .withMessage("EINVAL: capacity 1; expected 2 to 16777216 events");
    }
}
