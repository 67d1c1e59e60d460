package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.expect;
import static org.peerlane.dmabuf.core.TestMachine.map;

import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Looking at buffers")
class InspectionTest {
    @Explore(schedules = 200)
    @Rule("DB-67")
    void aStuckBufferCanBeLookedAtAndSaysWhatItWaitsFor(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter.Pinned());
        buffer.setName("frame");
        BufferMapping mapping = map(machine.attach(buffer));
        machine.attach(buffer, _ -> {});
        Fence job = machine.fence(buffer, FenceUsage.BOOKKEEP);
        buffer.poll(1, () -> {});
        EmulatedThread holder =
                machine.start(
                        "holder",
                        () ->
                                buffer.reservation()
                                        .whileHeld(_ -> job.waitTimeout(false, Long.MAX_VALUE)));
        execution.sleep(1_000_000);
        EmulatedThread waiter = machine.start("waiter", () -> machine.invalidate(buffer));
        execution.sleep(1_000_000);

        BufferInfo info = machine.core.buffer(buffer.id());
        assertThat(info.name()).isEqualTo("frame");
        assertThat(info.exporterName()).isEqualTo("system");
        assertThat(info.owner()).isEqualTo("heap");
        assertThat(info.size()).isEqualTo(TestMachine.SIZE);
        assertThat(info.references()).isEqualTo(1);
        assertThat(info.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(info.pins()).isEqualTo(1);
        assertThat(info.ageNanos()).isGreaterThanOrEqualTo(2_000_000);
        assertThat(info.lockHolder()).isEqualTo("holder");
        assertThat(info.lockWaiters()).containsExactly("waiter");
        assertThat(info.fences())
                .singleElement()
                .satisfies(fence -> {
                    assertThat(fence.usage()).isEqualTo(FenceUsage.BOOKKEEP);
                    assertThat(fence.driverName()).isEqualTo("gpu0");
                    assertThat(fence.owner()).isEqualTo("heap");
                    assertThat(fence.ageNanos()).isGreaterThanOrEqualTo(2_000_000);
                });
        assertThat(info.attachments())
                .extracting(a -> a.device() + " " + a.owner() + " " + a.kind() + " " + a.pins())
                .containsExactly("nvme0 nvme static 1", "nvme0 nvme dynamic 0");
        assertThat(info.attachments().getFirst().mappings())
                .singleElement()
                .satisfies(seen -> {
                    assertThat(seen.id()).isEqualTo(mapping.id());
                    assertThat(seen.state()).isEqualTo(MappingState.VALID);
                    assertThat(seen.segments()).isEqualTo(1);
                });
        assertThat(machine.core.buffers()).hasSize(1);
        assertThat(machine.core.why(buffer.id()))
                .anySatisfy(line -> assertThat(line).contains("held by thread holder"))
                .anySatisfy(line -> assertThat(line).contains("thread waiter waits for it"))
                .anySatisfy(line -> assertThat(line).contains("gpu0"))
                .anySatisfy(line -> assertThat(line).contains("mapping " + mapping.id()));
        expect(Errno.ENOENT, () -> machine.core.why(99));

        job.signal();
        TestMachine.join(holder);
        TestMachine.join(waiter);
        assertThat(machine.core.buffer(buffer.id()).generation()).isEqualTo(1);
    }
}
