package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.iommu.core.table.Fixture.R;
import static org.peerlane.iommu.core.table.Fixture.RW;

import org.junit.jupiter.api.DisplayName;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Page table under concurrency")
class TableExploreTest {
    private static final Format VTD = Format.vtdSecondStage(2);
    private static final Format AMD = Format.amdV1(5);

    private static RadixTable table(Execution execution, PoisonedMemory memory, Format format) {
        return new RadixTable(execution, memory, format, gather -> {}, true);
    }

    private static void free(RadixTable table, PoisonedMemory memory) {
        table.free();
        assertThat(memory.takenPages()).isZero();
    }

    private static void join(EmulatedThread... threads) throws InterruptedException {
        for (EmulatedThread thread : threads) {
            thread.join();
            thread.failure()
                    .ifPresent(e -> {
                        throw new AssertionError(e);
                    });
        }
    }

    @Explore(schedules = 10_000)
    @Rule("PT-37")
    void twoMapsThatNeedTheSameTablePagesBothSucceed(Execution execution)
            throws InterruptedException {
        PoisonedMemory memory = new PoisonedMemory(8);
        RadixTable table = table(execution, memory, VTD);
        EmulatedThread other =
                execution.start(
                        ThreadKind.BLOCKING, "other", () -> table.map(0x1000, 0x5000, 4096, R));
        table.map(0x2000, 0x6000, 4096, R);
        join(other);
        assertThat(table.physicalOf(0x1000)).isEqualTo(0x5000);
        assertThat(table.physicalOf(0x2000)).isEqualTo(0x6000);
        assertThat(memory.takenPages()).isEqualTo(3);
        free(table, memory);
    }

    @Explore(schedules = 10_000)
    @Rule("PT-7")
    @Rule("PT-37")
    void twoMapsThatGrowTheTableBothSucceed(Execution execution) throws InterruptedException {
        PoisonedMemory memory = new PoisonedMemory(16);
        RadixTable table = table(execution, memory, AMD);
        table.map(0, 0x4000, 4096, R);
        EmulatedThread other =
                execution.start(
                        ThreadKind.BLOCKING, "other", () -> table.map(1L << 40, 0x5000, 4096, R));
        Walked walk = new Walked();
        EmulatedThread walker =
                execution.start(
                        ThreadKind.BLOCKING,
                        "walker",
                        () -> {
                            assertThat(walk.of(table, 0, false)).isZero();
                            assertThat(walk.physical).isEqualTo(0x4000);
                        });
        table.map(1L << 50, 0x6000, 4096, R);
        join(other, walker);
        assertThat(table.topLevel()).isEqualTo(4);
        assertThat(table.physicalOf(0)).isEqualTo(0x4000);
        assertThat(table.physicalOf(1L << 40)).isEqualTo(0x5000);
        assertThat(table.physicalOf(1L << 50)).isEqualTo(0x6000);
        free(table, memory);
    }

    @Explore(schedules = 10_000)
    @Rule("PT-37")
    void aWalkBesideAMapFindsNothingOrTheLeaf(Execution execution) throws InterruptedException {
        PoisonedMemory memory = new PoisonedMemory(8);
        RadixTable table = table(execution, memory, AMD);
        EmulatedThread walker =
                execution.start(
                        ThreadKind.BLOCKING,
                        "walker",
                        () -> {
                            Walked walk = new Walked();
                            boolean seen = false;
                            for (int i = 0; i < 4; i++) {
                                int reason = walk.of(table, 0x11000, true);
                                assertThat(reason)
                                        .isIn(seen ? new Object[] {0} : new Object[] {0, 5});
                                if (reason == 0) {
                                    seen = true;
                                    assertThat(walk.physical).isEqualTo(0x31000);
                                    assertThat(walk.leafBytes).isEqualTo(0x10000);
                                }
                            }
                        });
        table.map(0x10000, 0x30000, 0x10000, RW);
        join(walker);
        free(table, memory);
    }

    @Explore(schedules = 10_000)
    @Rule("PT-43")
    @Rule("PT-51")
    void anUnmapNeverMarksAnEntryBackToLifeNorMissesATable(Execution execution)
            throws InterruptedException {
        PoisonedMemory memory = new PoisonedMemory(8);
        RadixTable table = table(execution, memory, VTD);
        table.map(0, 0x200000 + 4096, 0x200000, RW);
        table.map(0x200000, 0, 4096, RW);
        EmulatedThread walker =
                execution.start(
                        ThreadKind.BLOCKING,
                        "walker",
                        () -> {
                            Walked walk = new Walked();
                            for (long iova : new long[] {0x1FF000, 0}) {
                                int reason = walk.of(table, iova, true);
                                assertThat(reason).isIn(0, 5);
                                if (reason == 0) {
                                    assertThat(walk.physical).isEqualTo(iova + 0x201000);
                                }
                            }
                        });
        Gather gather = new Gather();
        assertThat(table.unmap(0, 0x200000, gather)).isEqualTo(0x200000);
        join(walker); // the flush: nobody walks the unlinked page any more
        assertThat(gather.pages()).isEqualTo(1);
        for (int i = 0; i < 512; i++) {
            assertThat(memory.peek(gather.page(0) + 8L * i)).isZero();
        }
        table.release(gather);
        assertThat(table.physicalOf(0x200000)).isZero();
        free(table, memory);
    }

    @Explore(schedules = 10_000)
    @Rule("PT-37")
    @Rule("PT-43")
    void neighboursAreMappedAndUnmappedWithoutALock(Execution execution)
            throws InterruptedException {
        PoisonedMemory memory = new PoisonedMemory(8);
        RadixTable table = table(execution, memory, VTD);
        table.map(0, 0x401000, 0x200000, R);
        EmulatedThread other =
                execution.start(
                        ThreadKind.BLOCKING,
                        "other",
                        () -> {
                            Gather gather = new Gather();
                            table.map(0x200000, 0x5000, 4096, R);
                            table.map(0x201000, 0x7000, 4096, R);
                            assertThat(table.unmap(0x200000, 4096, gather)).isEqualTo(4096);
                            assertThat(gather.pages()).isZero();
                        });
        Gather gather = new Gather();
        assertThat(table.unmap(0, 0x200000, gather)).isEqualTo(0x200000);
        assertThat(gather.pages()).isEqualTo(1);
        table.release(gather);
        table.map(0x1000, 0x9000, 4096, R);
        table.map(0x202000, 0xB000, 4096, R);
        join(other);
        assertThat(table.physicalOf(0)).isEqualTo(-1);
        assertThat(table.physicalOf(0x1000)).isEqualTo(0x9000);
        assertThat(table.physicalOf(0x200000)).isEqualTo(-1);
        assertThat(table.physicalOf(0x201000)).isEqualTo(0x7000);
        assertThat(table.physicalOf(0x202000)).isEqualTo(0xB000);
        assertThat(memory.takenPages()).isEqualTo(4);
        free(table, memory);
    }
}
