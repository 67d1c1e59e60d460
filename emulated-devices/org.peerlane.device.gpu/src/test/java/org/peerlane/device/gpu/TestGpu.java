package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.WatchedExecution;

/**
 * A live card as its driver sees it: 1 MiB of VRAM unless told otherwise, 4 MiB of RAM, and a ring
 * of 4 KiB at {@value #RING} in RAM. Numbers of registers and packets are docs/gpu.md's, not the
 * code's.
 */
final class TestGpu implements AutoCloseable {
    static final int ID = 0x000;
    static final int CONTROL = 0x010;
    static final int STATUS = 0x014;
    static final int INTERRUPT_STATUS = 0x018;
    static final int INTERRUPT_ENABLE = 0x01C;
    static final int RING_BASE = 0x020;
    static final int RING_SETUP = 0x028;
    static final int RING_HEAD = 0x030;
    static final int RING_TAIL = 0x034;
    static final int WRITE_BACK = 0x038;
    static final int ERROR = 0x040;
    static final int ERROR_OFFSET = 0x044;
    static final int ERROR_ADDRESS = 0x048;
    static final int MMU_CONTROL = 0x050;
    static final int MMU_BASE = 0x058;
    static final int FAULT_STATUS = 0x060;
    static final int FAULT_ADDRESS = 0x068;
    static final int TRAP_VALUE = 0x070;
    static final int PACKETS = 0x078;

    static final long RUN = 1;
    static final long RESET = 1L << 31;
    static final long BUSY = 1;
    static final long HALTED = 2;

    static final int NOP = 0;
    static final int COPY = 1;
    static final int FILL = 2;
    static final int FENCE = 3;
    static final int TRAP = 4;
    static final int INTERRUPT = 1 << 4;
    static final int VRAM = 0;
    static final int BUS = 1;
    static final int VIRTUAL = 2;

    static final long RING = 0x1000;
    static final int RING_BYTES = 4096;
    static final int RAM_BYTES = 4 << 20;
    static final int VRAM_BYTES = 1 << 20;

    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    final WatchedExecution execution = new WatchedExecution(new LiveExecution("test"));
    final TestSlot slot;
    final GpuDevice gpu;
    final MemorySegment vram;
    private long tail;

    TestGpu() {
        this(Map.of("vramMiB", 1));
    }

    TestGpu(Map<String, Object> options) {
        slot = new TestSlot(execution, RAM_BYTES, options);
        gpu = (GpuDevice) new GpuDeviceType().create(slot);
        vram = Objects.requireNonNull(gpu.layout().bar(2).map(BarLayout::memory).orElseThrow());
    }

    long get(int offset) {
        return gpu.read(0, offset, 4);
    }

    void set(int offset, long value) {
        gpu.write(0, offset, 4, value);
    }

    long getWide(int offset) {
        return gpu.read(0, offset, 8);
    }

    void setWide(int offset, long value) {
        gpu.write(0, offset, 8, value);
    }

    long vramWord(long offset) {
        return vram.get(LE_LONG, offset);
    }

    void vramWord(long offset, long value) {
        vram.set(LE_LONG, offset, value);
    }

    /** Describes the usual ring, empty. */
    TestGpu ring() {
        setWide(RING_BASE, RING);
        set(RING_SETUP, 12);
        set(RING_HEAD, 0);
        set(RING_TAIL, 0);
        tail = 0;
        return this;
    }

    TestGpu start() {
        ring();
        set(CONTROL, RUN);
        return this;
    }

    static long header(int opcode, int flags, int words) {
        return header(opcode, flags, words, 0, 0);
    }

    static long header(int opcode, int flags, int words, int vector, int argument) {
        return opcode
                | (long) flags << 8
                | (long) words << 16
                | (long) vector << 24
                | (long) argument << 32;
    }

    static long[] copy(int source, long from, int destination, long to, long bytes) {
        return new long[] {header(COPY, source | destination << 2, 4), from, to, bytes};
    }

    static long[] fill(int destination, long to, long bytes, int pattern) {
        return new long[] {header(FILL, destination << 2, 3, 0, pattern), to, bytes};
    }

    static long[] fence(int destination, long to, long value) {
        return new long[] {header(FENCE, destination << 2, 3), to, value};
    }

    /** Puts words into the ring, without telling. */
    TestGpu put(long... words) {
        for (long word : words) {
            slot.word(RING + tail, word);
            tail = (tail + 8) % RING_BYTES;
        }
        return this;
    }

    /** Rings the doorbell. */
    TestGpu ringUp() {
        set(RING_TAIL, tail);
        return this;
    }

    /** Waits until the engine has nothing to do. */
    TestGpu idle() {
        Await.until("the engine to be idle", () -> (get(STATUS) & BUSY) == 0 && !hasPackets());
        execution.awaitWaiting("gpu0.engine");
        return this;
    }

    private boolean hasPackets() {
        return (get(CONTROL) & RUN) != 0 && get(RING_HEAD) != get(RING_TAIL);
    }

    /** Runs packets, all of which are to succeed. */
    void run(long[]... packets) {
        for (long[] packet : packets) {
            put(packet);
        }
        ringUp().idle();
        assertThat(get(ERROR)).as("ERROR").isZero();
        assertThat(get(RING_HEAD)).isEqualTo(tail);
    }

    /** Runs packets, the last of which is to stop the engine. {@return its offset} */
    long fail(long[]... packets) {
        long last = 0;
        for (long[] packet : packets) {
            last = tail;
            put(packet);
        }
        ringUp().awaitHalt();
        assertThat(get(CONTROL)).as("CONTROL").isZero();
        assertThat(get(ERROR_OFFSET)).isEqualTo(last);
        assertThat(get(RING_HEAD)).as("before the bad packet").isEqualTo(last);
        return last;
    }

    /** Waits until the engine has stopped, and has told. */
    void awaitHalt() {
        Await.until("the engine to stop", () -> get(STATUS) == HALTED);
        execution.awaitWaiting("gpu0.engine");
    }

    int errorCode() {
        return (int) get(ERROR) & 0xFF;
    }

    int errorOpcode() {
        return (int) get(ERROR) >> 8 & 0xFF;
    }

    int errorDetail() {
        return (int) get(ERROR) >> 16 & 0xFF;
    }

    <E> List<E> events(Class<E> type) {
        synchronized (slot.events) {
            return slot.events.stream().filter(type::isInstance).map(type::cast).toList();
        }
    }

    /** A checkpoint that holds the engine. */
    final class Stop implements AutoCloseable {
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch goOn = new CountDownLatch(1);
        private final Armed armed;

        Stop(String checkpoint) {
            armed =
                    execution.arm(
                            checkpoint,
                            () -> {
                                reached.countDown();
                                await(goOn);
                            });
        }

        void awaitReached() {
            await(reached);
        }

        void letGo() {
            goOn.countDown();
        }

        @Override
        public void close() {
            letGo();
            armed.close();
        }

        private static void await(CountDownLatch latch) {
            try {
                assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    Stop stopAt(String checkpoint) {
        return new Stop(checkpoint);
    }

    static byte[] pattern(int bytes) {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            data[i] = (byte) (i * 31 + i / 256 + 7);
        }
        return data;
    }

    static byte[] bytes(MemorySegment memory, long offset, int length) {
        return memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
    }

    static void bytes(MemorySegment memory, long offset, byte[] data) {
        MemorySegment.copy(data, 0, memory, ValueLayout.JAVA_BYTE, offset, data.length);
    }

    /** Nothing stays, and nothing was thrown. */
    @Override
    public void close() {
        gpu.close();
        assertThat(execution.alive()).isEmpty();
        assertThat(execution.failures()).isEmpty();
    }
}
