package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.iommu.core.table.Fixture.R;
import static org.peerlane.iommu.core.table.Fixture.RW;
import static org.peerlane.iommu.core.table.Fixture.expect;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

@DisplayName("Map and unmap")
class MapTest {
    private static final Format AMD = Format.amdV1(5);
    private static final Format VTD = Format.vtdSecondStage(3);
    private static final long MIB2 = 1L << 21;

    @Test
    @Rule("PT-30")
    void refusesWhatCannotBeMapped() {
        try (Fixture f = new Fixture(VTD)) {
            int before = f.memory.takenPages();
            expect(Errno.EINVAL, () -> f.table.map(0, 0, 4096, 0));
            expect(Errno.EINVAL, () -> f.table.map(0, 0, 4096, PageTable.CACHE));
            expect(Errno.EINVAL, () -> f.table.map(0, 0, 0, R));
            expect(Errno.EOVERFLOW, () -> f.table.map(-4096, 0, 8192, R));
            expect(Errno.ERANGE, () -> f.table.map(0, 1L << 52, 4096, R));
            expect(Errno.ERANGE, () -> f.table.map(0, (1L << 52) - 4096, 8192, R));
            expect(Errno.ERANGE, () -> f.table.map(0, -4096, 4096, R));
            expect(Errno.ERANGE, () -> f.table.map(1L << 48, 0, 4096, R));
            expect(Errno.ENXIO, () -> f.table.map(0x800, 0, 4096, R));
            expect(Errno.ENXIO, () -> f.table.map(0, 0x800, 4096, R));
            expect(Errno.ENXIO, () -> f.table.map(0, 0, 0x800, R));
            assertThat(f.memory.takenPages()).isEqualTo(before);
            f.memory.failNth(1);
            expect(Errno.ENOMEM, () -> f.table.map(0, 0, 4096, R));
        }
    }

    @Test
    @Rule("PT-30")
    @Rule("PT-36")
    void aMapThatStopsHalfWaySaysHowFarItCame() {
        try (Fixture f = new Fixture(VTD)) {
            f.table.map(0x5000, 0x100000, 4096, R);
            assertThatExceptionOfType(MapFailed.class)
                    .isThrownBy(() -> f.table.map(0x1000, 0x3000, 0x8000, R))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE))
                    .satisfies(e -> assertThat(e.mapped()).isEqualTo(0x4000));
            assertThat(f.table.physicalOf(0x4FFF)).isEqualTo(0x6FFF);
            assertThat(f.table.physicalOf(0x5000)).isEqualTo(0x100000);
            assertThat(f.unmap(0x1000, 0x4000)).isEqualTo(0x4000);
            assertThat(f.table.physicalOf(0x5000)).isEqualTo(0x100000);
            assertThatExceptionOfType(MapFailed.class)
                    .isThrownBy(() -> f.table.map(0x10000, 0x10000, 0x1800, R))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENXIO))
                    .satisfies(e -> assertThat(e.mapped()).isEqualTo(0x1000));
        }
    }

    @Test
    @Rule("PT-31")
    @Rule("PT-33")
    void usesTheLargestPagesThatFit() {
        try (Fixture f = new Fixture(VTD)) {
            f.table.map(0x1FF000, 0x401FF000, 0x402000, R);
            assertThat(f.walk(0x1FF000, false)).isEqualTo("401ff000 in 1ff000+1000 r-");
            assertThat(f.walk(0x200000, false)).isEqualTo("40200000 in 200000+200000 r-");
            assertThat(f.walk(0x5FFFFF, false)).isEqualTo("405fffff in 400000+200000 r-");
            assertThat(f.walk(0x600000, false)).isEqualTo("40600000 in 600000+1000 r-");
            assertThat(f.walk(0x601000, false)).isEqualTo("fault 6");
            assertThat(f.walk(0x1FE000, false)).isEqualTo("fault 6");
        }
    }

    @Test
    @Rule("PT-31")
    @Rule("PT-32")
    @Rule("PT-34")
    void changesToALargerPageWhereOneCanStart() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0x10000, 0x30000, 0x30000, R);
            assertThat(f.walk(0x10000, false)).isEqualTo("30000 in 10000+10000 r-");
            assertThat(f.walk(0x20000, false)).isEqualTo("40000 in 20000+20000 r-");
            int entries = 0;
            for (long iova = 0; iova < MIB2; iova += 4096) {
                entries += f.entry(0, iova) == 0 ? 0 : 1;
            }
            assertThat(entries).isEqualTo(48);
        }
    }

    @Test
    @Rule("PT-32")
    void staysWithSmallPagesIfNoWholeLargerOneFits() {
        try (Fixture f = new Fixture(VTD)) {
            f.table.map(0x1FF000, 0x1FF000, 0x200000, R);
            assertThat(f.walk(0x200000, false)).isEqualTo("200000 in 200000+1000 r-");
            f.table.map(MIB2 * 4, MIB2 * 4 + 4096, MIB2, R);
            assertThat(f.walk(MIB2 * 4, false)).isEqualTo("801000 in 800000+1000 r-");
        }
    }

    @Test
    @Rule("PT-35")
    void aSlotWithALeafIsInUse() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0x3000, 0x7000, 4096, R);
            expect(Errno.EADDRINUSE, () -> f.table.map(0x3000, 0x7000, 4096, R));
            expect(Errno.EADDRINUSE, () -> f.table.map(0x2000, 0x8000, 0x2000, R));
            expect(Errno.EADDRINUSE, () -> f.table.map(0, 0, MIB2, R));
            expect(Errno.EADDRINUSE, () -> f.table.map(0, 0, 2 * MIB2, R));
            f.table.map(2 * MIB2, 0, 2 * MIB2, R);
            expect(Errno.EADDRINUSE, () -> f.table.map(3 * MIB2, 0, 4096, R));
            assertThat(f.walk(0x3FFF, false)).isEqualTo("7fff in 3000+1000 r-");
            assertThat(f.walk(0x2000, false)).isEqualTo("fault 6");
            assertThat(f.flushes).isEmpty();
        }
    }

    @Test
    @Rule("PT-35")
    void anEmptySubtreeGivesWayToALargeLeafAndIsFreedAfterTheFlush() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(MIB2 + 4096, 0, 4096, R);
            assertThat(f.unmap(MIB2 + 4096, 4096)).isEqualTo(4096);
            int before = f.memory.takenPages();
            f.table.map(0, 2 * MIB2, 2 * MIB2, RW);
            assertThat(f.flushes).containsExactly("0-3fffff, 1 pages");
            assertThat(f.memory.takenPages()).isEqualTo(before - 1);
            assertThat(f.walk(MIB2 + 4096, false)).isEqualTo("601000 in 0+400000 rw");
            f.table.map(1L << 30, 0, 4096, R);
            f.table.map((1L << 30) + MIB2, 0, 4096, R);
            f.unmap(1L << 30, 4096);
            f.unmap((1L << 30) + MIB2, 4096);
            before = f.memory.takenPages();
            f.table.map(1L << 30, 1L << 30, 1L << 30, R);
            assertThat(f.flushes).hasSize(2).last().isEqualTo("40000000-7fffffff, 3 pages");
            assertThat(f.memory.takenPages()).isEqualTo(before - 3);
        }
    }

    @Test
    @Rule("PT-38")
    void neighboursAreNotMerged() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0, 0, 4096, R);
            f.table.map(4096, 4096, 4096, R);
            assertThat(f.walk(0, false)).isEqualTo("0 in 0+1000 r-");
            assertThat(f.entry(0, 0)).isEqualTo(0x2000000000000001L);
        }
    }

    @Test
    @Rule("PT-40")
    void unmapAnswersWhatItRemoved() {
        try (Fixture f = new Fixture(VTD)) {
            f.table.map(0x1000, 0, 0x5000, R);
            assertThat(f.unmap(0, 0x1000)).isZero();
            assertThat(f.unmap(0x1000, 0)).isZero();
            assertThat(f.unmap(0x1000, -1)).isZero();
            assertThat(f.unmap(1L << 48, 4096)).isZero();
            assertThat(f.unmap(0x1000, 1L << 48)).isZero();
            assertThat(f.gather.isEmpty()).isTrue();
            assertThat(f.table.unmap(0x2000, 0x1000, f.gather)).isEqualTo(0x1000);
            assertThat(f.gather.first()).isEqualTo(0x2000);
            assertThat(f.gather.last()).isEqualTo(0x2FFF);
            assertThat(f.table.physicalOf(0x1FFF)).isEqualTo(0xFFF);
            assertThat(f.table.physicalOf(0x2000)).isEqualTo(-1);
            assertThat(f.table.physicalOf(0x3000)).isEqualTo(0x2000);
        }
    }

    @Test
    @Rule("PT-41")
    void unmapStopsAtAnEmptySlotAndInsideALeaf() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0x1000, 0x1000, 0x1000, R);
            f.table.map(0x3000, 0x3000, 0x1000, R);
            assertThat(f.unmap(0x1000, 0x3000)).isEqualTo(0x1000);
            assertThat(f.table.physicalOf(0x3000)).isEqualTo(0x3000);
            f.table.map(0x10000, 0x10000, 0x10000, R);
            assertThat(f.unmap(0x18000, 0x8000)).isZero();
            assertThat(f.unmap(0x11000, 0x8000)).isZero();
            f.table.map(MIB2, MIB2, MIB2, R);
            assertThat(f.unmap(MIB2 + 4096, 4096)).isZero();
            assertThat(f.unmap(0x3800, 0x800)).isZero();
            assertThat(f.table.physicalOf(0x3800)).isEqualTo(0x3800);
            assertThat(f.table.physicalOf(0x18000)).isEqualTo(0x18000);
            assertThat(f.table.physicalOf(MIB2 + 4096)).isEqualTo(MIB2 + 4096);
        }
    }

    @ParameterizedTest(name = "{0} bytes")
    @ValueSource(longs = {1, 0x1000, 0x8001, 0xFFFF})
    @Rule("PT-42")
    @Rule("PT-44")
    void unmapTakesAllOfALeafThatReachesOverTheEnd(long bytes) {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0x10000, 0x10000, 0x10000, R);
            assertThat(f.table.unmap(0x10000, bytes, f.gather)).isEqualTo(0x10000);
            assertThat(f.gather.last()).isEqualTo(0x1FFFF);
            for (long iova = 0; iova < MIB2; iova += 4096) {
                assertThat(f.entry(0, iova)).isZero();
            }
        }
    }

    @Test
    @Rule("PT-43")
    void unmapUnlinksTablesInsideTheRangeAndKeepsOthers() {
        try (Fixture f = new Fixture(VTD)) {
            int top = f.memory.takenPages();
            f.table.map(4096, 0, 3 * MIB2 - 4096, R);
            assertThat(f.memory.takenPages()).isEqualTo(top + 5);
            assertThat(f.table.unmap(4096, 3 * MIB2 - 4096, f.gather)).isEqualTo(3 * MIB2 - 4096);
            assertThat(f.gather.pages()).isEqualTo(2);
            assertThat(f.memory.takenPages()).isEqualTo(top + 5);
            assertThat(f.entry(1, MIB2)).isZero();
            assertThat(f.entry(1, 0)).isNotZero();
            f.table.release(f.gather);
            assertThat(f.memory.takenPages()).isEqualTo(top + 3);
            assertThat(f.gather.isEmpty()).isTrue();
        }
    }

    @Test
    @Rule("PT-43")
    void unmapUnlinksWholeSubtrees() {
        try (Fixture f = new Fixture(VTD.withPageSizes(1L << 12 | 1L << 21))) {
            int top = f.memory.takenPages();
            f.table.map(0, 0, 1L << 30, R);
            assertThat(f.memory.takenPages()).isEqualTo(top + 2);
            assertThat(f.unmap(0, 1L << 30)).isEqualTo(1L << 30);
            assertThat(f.memory.takenPages()).isEqualTo(top + 1);
            assertThat(f.entry(2, 0)).isZero();
        }
    }

    @Test
    @Rule("PT-45")
    void physicalOfIsExactToTheByte() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0x10000, 0x7_0000, 0x10000, R);
            assertThat(f.table.physicalOf(0x1ABCD)).isEqualTo(0x7ABCD);
            assertThat(f.table.physicalOf(0x20000)).isEqualTo(-1);
            assertThat(f.table.physicalOf(-1)).isEqualTo(-1);
        }
        try (Fixture f = new Fixture(VTD)) {
            assertThat(f.table.physicalOf(1L << 48)).isEqualTo(-1);
        }
    }

    @Test
    void aFreedTableSaysSo() {
        Fixture f = new Fixture(VTD);
        f.table.map(0, 0, 4096, R);
        f.close();
        assertThatIllegalStateException().isThrownBy(f.table::free);
        assertThatIllegalStateException().isThrownBy(() -> f.table.map(0, 0, 4096, R));
        assertThat(f.walk(0, false)).isEqualTo("fault 7");
    }

    @Test
    void noPageForTheTopTable() {
        Fixture f = new Fixture(VTD);
        f.memory.failNth(1);
        int before = f.memory.takenPages();
        expect(Errno.ENOMEM, () -> new RadixTable(f.execution, f.memory, VTD, gather -> {}));
        assertThat(f.memory.takenPages()).isEqualTo(before);
        f.close();
    }
}
