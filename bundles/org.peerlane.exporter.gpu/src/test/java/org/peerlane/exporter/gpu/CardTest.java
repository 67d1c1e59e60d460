package org.peerlane.exporter.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

@DisplayName("A card's own buffers")
class CardTest {
    private final LiveExecution execution = new LiveExecution("gpu");
    private final GpuMachine machine = new GpuMachine(execution);

    @AfterEach
    void close() {
        machine.close();
        execution.close();
    }

    @Test
    void aBufferIsZerosInVramAndTheEngineFillsAndCopies() {
        Card gpu = machine.plug("gpu0", 0);
        GpuBuffer one = gpu.allocate(GpuAllocation.of(0x3000));
        GpuBuffer two = gpu.allocate(GpuAllocation.of(0x3000));
        assertThat(one.placement()).isEqualTo(Placement.VRAM);
        assertThat(machine.word(one, 0x2ffc)).isZero();
        GpuMachine.done(one.fill(0x1000, 0x1000, 0xCAFE));
        GpuMachine.done(one.copyTo(0x1000, two, 0x2000, 0x1000));
        assertThat(machine.word(two, 0x1ffc)).isZero();
        assertThat(machine.word(two, 0x2ffc)).isEqualTo(0xCAFE);
    }

    @Test
    void aMoveTakesTheBytesAlong() {
        Card gpu = machine.plug("gpu0", 0);
        GpuBuffer one = gpu.allocate(GpuAllocation.of(0x10_0000));
        one.fill(0, 0x10_0000, 0x1234).put();
        for (Placement to :
                new Placement[] {
                    Placement.GTT,
                    Placement.SYSTEM,
                    Placement.VRAM,
                    Placement.VRAM,
                    Placement.SYSTEM
                }) {
            one.move(to);
            assertThat(one.placement()).isEqualTo(to);
            assertThat(machine.word(one, 0xf_fffc)).isEqualTo(0x1234);
        }
        assertThat(gpu.memory().get(1).used()).isZero();
    }

    @Test
    @Rule("GX-21")
    void whoWasNotUsedForLongestLeavesTheVram() {
        Card gpu = machine.plug("gpu0", 0); // 4 MiB, of which the driver has a page
        GpuBuffer one = gpu.allocate(GpuAllocation.of(1 << 20));
        GpuBuffer two = gpu.allocate(GpuAllocation.of(1 << 20));
        GpuBuffer three = gpu.allocate(GpuAllocation.of(1 << 20));
        GpuMachine.done(one.fill(0, 1 << 20, 7));
        GpuBuffer four = gpu.allocate(GpuAllocation.of(1 << 20));
        assertThat(one.placement()).isEqualTo(Placement.VRAM);
        assertThat(two.placement()).isEqualTo(Placement.GTT);
        assertThat(three.placement()).isEqualTo(Placement.VRAM);
        assertThat(four.placement()).isEqualTo(Placement.VRAM);
        assertThat(two.whereabouts()).contains("needed by others");
        four.close();
        two.fill(0, 4, 1).put(); // it is used: it comes back
        assertThat(two.placement()).isIn(Placement.VRAM, Placement.GTT);
    }

    @Test
    void aResetLosesTheVramAndNothingElse() {
        Card gpu = machine.plug("gpu0", 0);
        GpuBuffer inside = gpu.allocate(GpuAllocation.of(4096));
        GpuBuffer outside = gpu.allocate(new GpuAllocation(4096, EnumSet.of(Placement.GTT), false));
        GpuMachine.done(inside.fill(0, 4096, 1));
        GpuMachine.done(outside.fill(0, 4096, 2));
        gpu.reset();
        assertThat(inside.losses()).isEqualTo(1);
        assertThat(outside.losses()).isZero();
        assertThat(machine.word(inside, 0)).isZero();
        assertThat(machine.word(outside, 0)).isEqualTo(2);
        GpuMachine.done(outside.copyTo(0, inside, 0, 4096));
        assertThat(machine.word(inside, 4092)).isEqualTo(2);
    }

    @Test
    @Rule("GX-20")
    @Rule("GX-21")
    void whatIsBeyondTheBarComesBehindItWhenTheCpuTouchesIt() {
        Card gpu = machine.plug("gpu1", 1, 4, 1, false);
        GpuBuffer far =
                gpu.allocate(
                        new GpuAllocation(8192, EnumSet.of(Placement.VRAM, Placement.GTT), false));
        assertThat(far.whereabouts()).contains("beyond the BAR");
        GpuMachine.done(far.fill(0, 8192, 9));
        assertThat(machine.word(far, 4096)).isEqualTo(9);
        assertThat(far.whereabouts()).isEqualTo("VRAM");
    }

    @Test
    void badRequestsAreRefused() {
        Card gpu = machine.plug("gpu0", 0);
        GpuMachine.expect(Errno.EINVAL, () -> gpu.allocate(GpuAllocation.of(0)));
        GpuMachine.expect(Errno.EINVAL, () -> gpu.allocate(GpuAllocation.of(-4096)));
        GpuMachine.expect(
                Errno.EINVAL,
                () -> gpu.allocate(new GpuAllocation(4096, EnumSet.of(Placement.SYSTEM), true)));
        GpuMachine.expect(
                Errno.ENOMEM,
                () -> gpu.allocate(new GpuAllocation(8 << 20, EnumSet.of(Placement.VRAM), true)));
        GpuBuffer one = gpu.allocate(GpuAllocation.of(4096));
        GpuMachine.expect(Errno.EINVAL, () -> one.fill(2, 4, 0));
        GpuMachine.expect(Errno.EINVAL, () -> one.fill(0, 8192, 0));
        GpuMachine.expect(Errno.EINVAL, () -> one.copyTo(0, one, 0, 4096));
        GpuMachine.expect(Errno.ENOENT, () -> gpu.buffer(77));
        one.close();
        one.close();
        GpuMachine.expect(Errno.EBADF, () -> one.fill(0, 4, 0));
    }
}
