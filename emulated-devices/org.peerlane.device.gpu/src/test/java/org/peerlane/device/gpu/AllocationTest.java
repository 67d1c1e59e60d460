package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.BUS;
import static org.peerlane.device.gpu.TestGpu.VIRTUAL;
import static org.peerlane.device.gpu.TestGpu.VRAM;
import static org.peerlane.device.gpu.TestGpu.copy;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.fill;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Await;

@DisplayName("What the engine of a GPU allocates")
@Timeout(120)
class AllocationTest {
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long RING = 0x1_0000;
    private static final int RING_LG2 = 16;
    private static final long DONE = 0x100;
    private static final int WARM_UP = 300;
    private static final int ROUNDS = 100;

    private volatile long engine;

    /** Platform threads, since nobody counts for virtual ones. */
    private Execution execution() {
        LiveExecution live = new LiveExecution("test");
        return (Execution)
                Proxy.newProxyInstance(
                        Execution.class.getClassLoader(),
                        new Class<?>[] {Execution.class},
                        (_, method, arguments) -> {
                            if (!method.getName().equals("start")) {
                                return method.invoke(live, arguments);
                            }
                            Runnable body = (Runnable) arguments[2];
                            return live.start(
                                    ThreadKind.POLLING,
                                    (String) arguments[1],
                                    () -> {
                                        engine = Thread.currentThread().threadId();
                                        body.run();
                                    });
                        });
    }

    @Test
    void nothingPerPacket() {
        TestSlot slot = new TestSlot(execution(), 1 << 20, Map.of("vramMiB", 1));
        slot.ignoreEvents();
        GpuDevice gpu = (GpuDevice) new GpuDeviceType().create(slot);
        MemorySegment vram =
                Objects.requireNonNull(gpu.layout().bar(2).map(BarLayout::memory).orElseThrow());
        slot.word(0x4000, 0x5000 | 1);
        slot.word(0x5000, 0x6000 | 1);
        slot.word(0x6000, 0x8000 | 0xB);
        long[][] work = {
            copy(VRAM, 0x1000, VRAM, 0x2000, 64),
            copy(VRAM, 0x1000, BUS, 0x2000, 64),
            copy(BUS, 0x2000, VRAM, 0x1000, 64),
            copy(BUS, 0x2000, BUS, 0x3000, 64),
            copy(VIRTUAL, 0x40, VRAM, 0x3000, 64),
            fill(VRAM, 0x1000, 64, 5),
            fence(BUS, 0x3000, 6),
        };
        int packets = 0;
        long tail = 0;
        while (tail < (1 << RING_LG2) - 1024) {
            for (long[] packet : work) {
                packets++;
                for (long word : packet) {
                    slot.word(RING + tail, word);
                    tail += 8;
                }
            }
        }
        long last = tail;
        for (long word : fence(VRAM, DONE, 0)) {
            slot.word(RING + tail, word);
            tail += 8;
        }
        gpu.write(0, TestGpu.MMU_BASE, 8, 0x4000);
        gpu.write(0, TestGpu.MMU_CONTROL, 4, 1);
        gpu.write(0, TestGpu.RING_BASE, 8, RING);
        gpu.write(0, TestGpu.RING_SETUP, 4, RING_LG2);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = 0;
        for (int round = 1; round <= WARM_UP + ROUNDS; round++) {
            long number = round;
            slot.word(RING + last + 16, number);
            gpu.write(0, TestGpu.CONTROL, 4, 0);
            Await.until("the engine to rest", () -> gpu.read(0, TestGpu.STATUS, 4) == 0);
            if (round == WARM_UP) {
                before = threads.getThreadAllocatedBytes(engine);
            }
            gpu.write(0, TestGpu.RING_HEAD, 4, 0);
            gpu.write(0, TestGpu.RING_TAIL, 4, tail);
            gpu.write(0, TestGpu.CONTROL, 4, TestGpu.RUN);
            Await.until("round " + round, () -> (long) LONG.getAcquire(vram, DONE) == number);
        }
        long allocated = threads.getThreadAllocatedBytes(engine) - before;
        assertThat(allocated)
                .as("bytes for %d packets", (long) packets * ROUNDS)
                .isLessThan((long) packets * ROUNDS); // waiting for the doorbell takes some
        gpu.close();
    }
}
