package org.peerlane.exporter.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("What could leave the VRAM")
class LruRaceTest {
    @Explore(schedules = 1_000)
    @Rule("GX-5")
    void hasNoBufferThatHasEnded(Execution execution) throws InterruptedException {
        try (GpuMachine machine = new GpuMachine(execution)) {
            Card gpu = machine.plug("gpu0", 0, 1, 0, true);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(4096));
            EmulatedThread moves =
                    execution.start(ThreadKind.BLOCKING, "moves", () -> move(buffer));
            buffer.close();
            moves.join();
            assertThat(moves.failure()).isEmpty();
            assertThat(gpu.lru().all()).isEmpty();
        }
    }

    private static void move(GpuBuffer buffer) {
        try {
            buffer.move(Placement.GTT);
        } catch (ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.EBADF, Errno.ENODEV);
        }
    }
}
