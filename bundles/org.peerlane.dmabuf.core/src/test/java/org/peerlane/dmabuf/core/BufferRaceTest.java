package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.map;
import static org.peerlane.dmabuf.core.TestMachine.unmap;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Races of buffers")
class BufferRaceTest {
    /** An exporter with two places: a table tells where the storage was when it was made. */
    private static final class Movable extends TestExporter {
        long place = 0x1000;

        Movable() {
            tables = () -> table(place, TestMachine.SIZE);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("DY-4")
    @Rule("DY-11")
    @Rule("DY-14")
    void aMappingIsOfTheNewPlaceOrStale(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Movable exporter = new Movable();
        Buffer buffer = its.export(exporter);
        BufferAttachment attachment = its.attach(buffer, _ -> {});
        EmulatedThread importer =
                its.start(
                        "importer",
                        () -> {
                            for (int i = 0; i < 2; i++) {
                                BufferMapping mapping = map(attachment);
                                buffer.reservation()
                                        .whileHeld(_ ->
                                                assertThat(mapping.state() == MappingState.VALID)
                                                        .isEqualTo(
                                                                mapping.table().address(0)
                                                                        == exporter.place));
                                unmap(mapping);
                            }
                        });
        buffer.reservation()
                .whileHeld(_ -> {
                    its.heap.invalidateMappings(buffer);
                    exporter.place = 0x9000;
                });
        TestMachine.join(importer);
        assertThat(its.broken()).isEmpty();
    }

    @Explore(schedules = 10_000)
    @Rule("DB-25")
    @Rule("CK-41")
    void afterDetachHasReturnedNoCallbackRuns(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer buffer = its.export(new TestExporter());
        boolean[] detached = {false};
        BufferAttachment attachment =
                its.attach(
                        buffer,
                        _ -> {
                            assertThat(detached[0]).isFalse();
                            execution.checkpoint("test.in-callback").reached();
                            assertThat(detached[0]).isFalse();
                        });
        EmulatedThread importer =
                its.start(
                        "importer",
                        () -> {
                            its.nvme.detach(buffer, attachment);
                            detached[0] = true;
                        });
        its.invalidate(buffer);
        its.invalidate(buffer);
        TestMachine.join(importer);
        assertThat(its.broken()).isEmpty();
    }

    @Explore(schedules = 10_000)
    @Rule("DB-12")
    @Rule("DB-11")
    void whoWalksTheListAndTheLastPutReleaseOnceAndNobodySeesAnEndedBuffer(Execution execution)
            throws Exception {
        TestMachine its = new TestMachine(execution);
        TestExporter exporter = new TestExporter();
        Buffer buffer = its.export(exporter);
        List<EmulatedThread> walkers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            walkers.add(
                    its.start(
                            "walker" + i,
                            () -> {
                                Buffer seen = its.core.registry().get(buffer.id());
                                if (seen != null) {
                                    assertThat(exporter.calls).isEmpty();
                                    execution.checkpoint("test.looking").reached();
                                    assertThat(exporter.calls).isEmpty();
                                    seen.put();
                                }
                                for (BufferInfo info : its.core.buffers()) {
                                    assertThat(info.references()).isGreaterThanOrEqualTo(0);
                                }
                            }));
        }
        buffer.put();
        for (EmulatedThread walker : walkers) {
            TestMachine.join(walker);
        }
        assertThat(exporter.calls).containsExactly("release free");
        assertThat(its.heap.buffers()).isEmpty();
        assertThat(its.broken()).isEmpty();
    }

    @Explore(schedules = 10_000)
    @Rule("RK-3")
    @Rule("DB-24")
    void anAttachMeetsARevokeOrIsRefused(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer buffer = its.export(new TestExporter());
        List<String> told = new ArrayList<>();
        List<BufferAttachment> attached = new ArrayList<>();
        EmulatedThread importer =
                its.start(
                        "importer",
                        () -> {
                            try {
                                attached.add(its.attach(buffer, _ -> told.add("told")));
                            } catch (org.peerlane.kernel.api.ErrnoException e) {
                                assertThat(told).isEmpty();
                            }
                        });
        its.heap.revoke(buffer, false);
        TestMachine.join(importer);
        assertThat(told).hasSameSizeAs(attached);
        attached.forEach(attachment -> its.nvme.detach(buffer, attachment));
        assertThat(its.nvme.attachments()).isEmpty();
        assertThat(its.broken()).isEmpty();
    }

    @Explore(schedules = 10_000)
    @Rule("dma-buf:T-15")
    void aStormOfInvalidationsMeetsMapsAndFences(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer buffer = its.export(new TestExporter());
        BufferAttachment attachment = its.attach(buffer, _ -> {});
        EmulatedThread importer =
                its.start(
                        "importer",
                        () -> {
                            BufferMapping mapping = map(attachment);
                            var job = its.fence(buffer, FenceUsage.READ);
                            MappingState state = mapping.state();
                            job.signal();
                            job.put();
                            assertThat(mapping.state()).isGreaterThanOrEqualTo(state);
                            unmap(mapping);
                            assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
                        });
        for (int i = 0; i < 3; i++) {
            its.invalidate(buffer);
        }
        TestMachine.join(importer);
        assertThat(buffer.invalidation().current().generation).isEqualTo(3);
        assertThat(its.broken()).isEmpty();
    }
}
