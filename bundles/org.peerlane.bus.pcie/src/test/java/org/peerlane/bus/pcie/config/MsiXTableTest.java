package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("The MSI-X table")
class MsiXTableTest {
    private static final int VECTOR = 70;
    private static final long CONTROL = VECTOR * 16L + 12;

    /** Gives checkpoints that do nothing, and nothing else. */
    private static final Execution POINTS =
            (Execution)
                    Proxy.newProxyInstance(
                            Execution.class.getClassLoader(),
                            new Class<?>[] {Execution.class},
                            (self, method, arguments) -> new Nowhere((String) arguments[0]));

    private record Nowhere(String name) implements Checkpoint {
        @Override
        public void reached() {}
    }

    private final List<String> sent = new ArrayList<>();

    private MsiXTable table(Execution execution) {
        sent.clear();
        MsiXTable table =
                new MsiXTable(
                        128,
                        (address, data) -> {
                            sent.add("%x=%x".formatted(address, data));
                            return DmaResult.OK;
                        },
                        execution);
        for (int i = 0; i < 128; i++) {
            table.write(i * 16L, 8, 0x1_FEE0_0000L + i * 4L);
            table.write(i * 16L + 8, 4, i);
        }
        return table;
    }

    private static void control(MsiXTable table, boolean enabled, boolean masked) {
        table.program(enabled, masked);
        table.sendPending();
    }

    private static void mask(MsiXTable table, boolean masked) {
        table.write(CONTROL, 4, masked ? 1 : 0);
    }

    @Rule("PC-28")
    @Test
    void aMaskedVectorPendsAndIsSentOnceWhenBothMasksAreClear() {
        MsiXTable table = table(POINTS);
        control(table, true, true);
        assertThat(table.raise(VECTOR)).isEqualTo(DmaResult.OK);
        assertThat(table.raise(VECTOR)).isEqualTo(DmaResult.OK);
        assertThat(table.readPending(8, 8)).isEqualTo(1 << 6);
        assertThat(table.readPending(8, 1)).isEqualTo(1 << 6);
        assertThat(table.readPending(0, 8)).isZero();
        mask(table, false);
        assertThat(sent).as("the function is masked").isEmpty();
        control(table, true, false);
        assertThat(sent).containsExactly("1fee00118=46");
        assertThat(table.readPending(8, 8)).isZero();
        mask(table, true);
        table.raise(VECTOR);
        control(table, true, true);
        control(table, true, false);
        assertThat(sent).as("the entry is masked").hasSize(1);
        mask(table, false);
        assertThat(sent).hasSize(2);
    }

    @Rule("PC-28")
    @Test
    void whileMessagesAreOffNothingIsSentAndNothingPends() {
        MsiXTable table = table(POINTS);
        mask(table, false);
        assertThat(table.raise(VECTOR)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(table.readPending(8, 8)).isZero();
        control(table, true, false);
        assertThat(table.raise(VECTOR)).isEqualTo(DmaResult.OK);
        assertThat(table.raise(128)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(table.raise(-1)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        mask(table, true);
        table.raise(VECTOR);
        control(table, false, false);
        mask(table, false);
        assertThat(sent).as("off, so it waits").hasSize(1);
        control(table, true, false);
        assertThat(sent).hasSize(2);
    }

    @Rule("PC-27")
    @Test
    void entriesAreSixteenBytesReadAndWrittenByDwordOrQword() {
        MsiXTable table = table(POINTS);
        assertThat(table.read(16, 8)).isEqualTo(0x1_FEE0_0004L);
        assertThat(table.read(20, 4)).isEqualTo(1);
        assertThat(table.read(24, 8)).as("masked after a reset").isEqualTo(0x1_0000_0001L);
        table.write(28, 4, 0xFFFF_FFFEL);
        assertThat(table.read(28, 4)).as("reserved bits read 0").isZero();
        table.write(16, 4, 0x1234);
        assertThat(table.read(16, 8)).isEqualTo(0x1_0000_1234L);
        table.write(16, 2, 0xFFFF);
        table.write(20, 8, -1);
        assertThat(table.read(16, 8)).as("no legal width").isEqualTo(0x1_0000_1234L);
        table.write(24, 8, 0x1_0000_00AAL);
        assertThat(table.read(24, 8)).isEqualTo(0x1_0000_00AAL);
        assertThat(table.read(18, 2)).isZero();
        assertThat(table.read(128 * 16, 8)).isZero();
        assertThat(table.read(-8, 8)).isZero();
        assertThat(table.readPending(16, 8)).isZero();
        table.write(128 * 16, 8, -1);
        table.write(Long.MAX_VALUE - 7, 8, -1);
    }

    @Rule("PC-61")
    @Test
    void aResetMasksEveryEntryAndForgetsWhatWaits() {
        MsiXTable table = table(POINTS);
        control(table, true, false);
        table.raise(VECTOR);
        mask(table, false);
        table.raise(3);
        table.reset();
        assertThat(table.read(CONTROL, 4)).isEqualTo(1);
        assertThat(table.readPending(0, 8)).isZero();
        assertThat(table.raise(VECTOR)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(table.read(16, 8)).isZero();
    }

    @Test
    void itsSizeIsThatOfTheSpecification() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MsiXTable(0, (a, d) -> 0, POINTS));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MsiXTable(2049, (a, d) -> 0, POINTS));
        MsiXTable largest = new MsiXTable(2048, (a, d) -> DmaResult.OK, POINTS);
        control(largest, true, false);
        largest.raise(2047);
        assertThat(largest.readPending(255, 1)).isEqualTo(0x80);
    }

    @Test
    void aMessageAllocatesNothing() {
        MsiXTable table = new MsiXTable(128, (address, data) -> DmaResult.OK, POINTS);
        control(table, true, false);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long best = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                table.raise(VECTOR);
                mask(table, (i & 1) == 0);
            }
            best = Math.min(best, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(best).as("bytes of 10,000 messages, masked and not").isLessThan(10_000);
    }

    /** Counts, so that what is sent twice at one time is seen. */
    private static MsiXTable counting(Execution execution, AtomicInteger messages) {
        MsiXTable table =
                new MsiXTable(
                        128,
                        (address, data) -> {
                            messages.incrementAndGet();
                            return DmaResult.OK;
                        },
                        execution);
        control(table, true, false);
        return table;
    }

    @Rule("PC-28")
    @Explore(schedules = 10_000)
    void raiseAgainstUnmaskSendsExactlyOneMessage(Execution execution) throws InterruptedException {
        AtomicInteger messages = new AtomicInteger();
        MsiXTable table = counting(execution, messages);
        EmulatedThread device =
                execution.start(ThreadKind.BLOCKING, "device", () -> table.raise(VECTOR));
        mask(table, false);
        device.join();
        assertThat(messages).hasValue(1);
        assertThat(table.readPending(8, 8)).isZero();
    }

    @Rule("PC-28")
    @Explore(schedules = 10_000)
    void raiseAgainstTwoUnmasksOfEntryAndFunctionSendsExactlyOneMessage(Execution execution)
            throws InterruptedException {
        AtomicInteger messages = new AtomicInteger();
        MsiXTable table = counting(execution, messages);
        control(table, true, true);
        EmulatedThread device =
                execution.start(ThreadKind.BLOCKING, "device", () -> table.raise(VECTOR));
        EmulatedThread other =
                execution.start(ThreadKind.BLOCKING, "cpu1", () -> control(table, true, false));
        mask(table, false);
        mask(table, true);
        mask(table, false);
        device.join();
        other.join();
        assertThat(messages).hasValue(1);
        assertThat(table.readPending(8, 8)).isZero();
    }
}
