package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.iommu.core.table.Fixture.R;
import static org.peerlane.iommu.core.table.Fixture.RW;
import static org.peerlane.iommu.core.table.Fixture.W;
import static org.peerlane.iommu.core.table.Fixture.expect;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

@DisplayName("Page table entries")
class FormatTest {
    private static final long OA = 0x1_0000_0000L;
    private static final long IOVA = 1L << 33;

    @ParameterizedTest(name = "AMDv1 page of 2^{0}: {2} entries of {3} at level {1}")
    @CsvSource({
        "12, 0, 1, 6000000100000001",
        "13, 0, 2, 6000000100000E01",
        "16, 0, 16, 6000000100007E01",
        "20, 0, 256, 600000010007FE01",
        "21, 1, 1, 6000000100000001",
        "22, 1, 2, 60000001001FFE01",
        "29, 1, 256, 600000010FFFFE01",
        "30, 2, 1, 6000000100000001",
        "32, 2, 4, 600000017FFFFE01",
    })
    @Rule("PT-1")
    @Rule("PT-2")
    @Rule("PT-3")
    @Rule("PT-4")
    void amdLeavesAreTheWorkedValues(int lg2, int level, int count, String value) {
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            f.table.map(IOVA, OA, 1L << lg2, RW);
            long item = 1L << 12 + 9 * level;
            for (int i = 0; i < count; i++) {
                assertThat("%016X".formatted(f.entry(level, IOVA + i * item))).isEqualTo(value);
            }
            assertThat(f.entry(level, IOVA + count * item)).isZero();
            assertThat(f.walk(IOVA + (1L << lg2) - 1, true))
                    .isEqualTo("%x in %x+%x rw".formatted(OA + (1L << lg2) - 1, IOVA, 1L << lg2));
            assertThat(f.unmap(IOVA, 1)).isEqualTo(1L << lg2);
        }
    }

    @ParameterizedTest(name = "2^{0} bytes")
    @CsvSource({"40, 3, 2", "47, 3, 256", "48, 4, 1", "51, 4, 8"})
    @Rule("PT-4")
    @Rule("PT-5")
    @Rule("PT-6")
    void amdLeavesReachUpTo2To51(int lg2, int level, int count) {
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            f.table.map(1L << 52, 0, 1L << lg2, R);
            long ones = lg2 == 48 ? 0 : (1L << lg2 - 1) - 4096 | 7 << 9;
            for (int i = 0; i < count; i++) {
                assertThat(f.entry(level, (1L << 52) + i * (1L << 12 + 9 * level)))
                        .isEqualTo(1L << 61 | ones | 1);
            }
            assertThat(f.table.physicalOf((1L << 52) + (1L << lg2) - 1)).isEqualTo((1L << lg2) - 1);
        }
    }

    @Test
    @Rule("PT-4")
    @Rule("PT-5")
    @Rule("PT-6")
    void amdOffersEveryPowerOfTwoBut512Gib() {
        assertThat(Format.amdV1(5).pageSizes()).isEqualTo((1L << 52) - (1L << 12) - (1L << 39));
        assertThat(Format.amdV1(3).pageSizes()).isEqualTo((1L << 48) - (1L << 12) - (1L << 39));
        assertThat(Format.amdV1(2).pageSizes()).isEqualTo((1L << 39) - (1L << 12));
        assertThat(Format.amdV1(5).withPageSizes(1 << 12).pageSizes()).isEqualTo(1 << 12);
        expect(Errno.EINVAL, () -> Format.amdV1(5).withPageSizes(1 << 21));
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            f.table.map(0, 0, 1L << 39, R);
            assertThat(f.walk(0, false)).isEqualTo("0 in 0+4000000000 r-");
        }
    }

    @Test
    @Rule("PT-3")
    void amdPointersSayTheirLevel() {
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            f.table.map(0, OA, 4096, RW);
            long level1 = f.entry(1, 0);
            assertThat(level1 & ~0xF_FFFF_FFFF_F000L).isEqualTo(0x6000000000000201L);
            assertThat(f.entry(2, 0) & ~0xF_FFFF_FFFF_F000L).isEqualTo(0x6000000000000401L);
            assertThat(new Entries(Format.amdV1(5)).pointer(0x2000, 1))
                    .isEqualTo(0x6000000000002201L);
        }
    }

    @Test
    @Rule("PT-2")
    void amdLeavesCarryFcWhenForcedOrAskedFor() {
        try (Fixture f = new Fixture(Format.amdV1(5).withForcedCoherence())) {
            f.table.map(0, OA, 4096, RW);
            assertThat(f.entry(0, 0)).isEqualTo(0x7000000100000001L);
        }
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            f.table.map(0, OA, 4096, RW | PageTable.CACHE);
            assertThat(f.entry(0, 0)).isEqualTo(0x7000000100000001L);
        }
    }

    @Test
    @Rule("PT-2")
    @Rule("IM-10")
    void amdEncryptsPointersAndLeavesOfMemoryButNotOfMmio() {
        try (Fixture f = new Fixture(Format.amdV1(5).withEncryptionBit(47))) {
            f.table.map(0, OA, 4096, RW);
            f.table.map(0x2000, OA, 4096, RW | PageTable.MMIO);
            assertThat(f.memory.peek(f.table.root()) & 1L << 47).isNotZero();
            long lower = f.memory.peek(f.table.root()) & 0x7FFF_FFFF_F000L;
            assertThat(f.memory.peek(lower) & 1L << 47).isNotZero();
            lower = f.memory.peek(lower) & 0x7FFF_FFFF_F000L;
            assertThat(f.memory.peek(lower)).isEqualTo(0x6000800100000001L);
            assertThat(f.memory.peek(lower + 16)).isEqualTo(0x6000000100000001L);
            assertThat(f.walk(5, true)).isEqualTo("100000005 in 0+1000 rw");
            expect(Errno.ERANGE, () -> f.table.map(0x4000, 1L << 47, 4096, RW));
        }
        expect(Errno.EINVAL, () -> Format.amdV1(5).withEncryptionBit(52));
        expect(Errno.EOPNOTSUPP, () -> Format.vtdSecondStage(3).withEncryptionBit(47));
    }

    @ParameterizedTest(name = "VT-d page of 2^{0}, protection {1}")
    @CsvSource({
        "12, 3, 100000003",
        "21, 3, 100000083",
        "30, 3, 100000083",
        "12, 1, 100000001",
        "12, 2, 100000002",
        "12, 11, 100000803",
    })
    @Rule("PT-11")
    @Rule("PT-12")
    @Rule("PT-13")
    @Rule("PT-15")
    void vtdLeavesAreTheWorkedValues(int lg2, int protection, String value) {
        try (Fixture f = new Fixture(Format.vtdSecondStage(3))) {
            f.table.map(IOVA, OA, 1L << lg2, protection);
            int level = (lg2 - 12) / 9;
            assertThat("%016X".formatted(f.entry(level, IOVA))).isEqualTo("0000000" + value);
            assertThat(f.entry(level, IOVA + (1L << lg2))).isZero();
            assertThat(f.entry(3, IOVA) & 0xFFF).isEqualTo(3);
        }
    }

    @Test
    @Rule("PT-15")
    void vtdSnoopsWhenForced() {
        try (Fixture f = new Fixture(Format.vtdSecondStage(3).withForcedCoherence())) {
            f.table.map(0, OA, 4096, RW);
            assertThat(f.entry(0, 0)).isEqualTo(0x100000803L);
        }
        expect(Errno.EOPNOTSUPP, () -> Format.x86FirstStage(3, true).withForcedCoherence());
    }

    @Test
    @Rule("PT-13")
    void vtdRefusesReadOnlyOnlyWhereTheErratumAsks() {
        try (Fixture f = new Fixture(Format.vtdSecondStage(3).withoutReadOnly())) {
            expect(Errno.EINVAL, () -> f.table.map(0, OA, 4096, R));
            f.table.map(0, OA, 4096, W);
            assertThat(f.entry(0, 0)).isEqualTo(0x100000002L);
        }
        expect(Errno.EOPNOTSUPP, () -> Format.amdV1(5).withoutReadOnly());
    }

    @Test
    @Rule("PT-12")
    void vtdWithout2MibAnd1GibUsesWhatIsLeft() {
        Format no1G = Format.vtdSecondStage(3).withPageSizes(1L << 12 | 1L << 21);
        assertThat(no1G.pageSizes()).isEqualTo(1L << 12 | 1L << 21);
        try (Fixture f = new Fixture(no1G)) {
            f.table.map(0, 0, 1L << 30, R);
            assertThat(f.walk(0, false)).isEqualTo("0 in 0+200000 r-");
            f.memory.poke(f.slot(2, 1L << 31), 0x83);
            assertThat(f.walk(1L << 31, false)).isEqualTo("fault c");
        }
        try (Fixture f = new Fixture(no1G.withPageSizes(1L << 12 | 1L << 30))) {
            f.table.map(0, 0, 1L << 21, R);
            assertThat(f.walk(0, false)).isEqualTo("0 in 0+1000 r-");
        }
    }

    @ParameterizedTest(name = "x86-64 page of 2^{0}, protection {1}")
    @CsvSource({
        "12, 3, 100000067",
        "12, 1, 100000025",
        "12, 2, 100000067",
        "21, 3, 1000000E7",
        "30, 1, 1000000A5",
    })
    @Rule("PT-20")
    @Rule("PT-21")
    void x86LeavesAreTheWorkedValues(int lg2, int protection, String value) {
        try (Fixture f = new Fixture(Format.x86FirstStage(3, true))) {
            f.table.map(IOVA, OA, 1L << lg2, protection);
            int level = (lg2 - 12) / 9;
            assertThat("%016X".formatted(f.entry(level, IOVA))).isEqualTo("0000000" + value);
            assertThat(f.entry(3, IOVA) & 0xFFF).isEqualTo(0x27);
            assertThat(f.walk(IOVA, false)).endsWith(protection == R ? " r-" : " rw");
            f.unmap(IOVA, 1L << lg2);
        }
    }

    @Test
    @Rule("PT-10")
    @Rule("PT-20")
    void depthsThatAFormatLacksAreNotSupported() {
        expect(Errno.EOPNOTSUPP, () -> Format.vtdSecondStage(1));
        expect(Errno.EOPNOTSUPP, () -> Format.vtdSecondStage(5));
        expect(Errno.EOPNOTSUPP, () -> Format.x86FirstStage(2, true));
        expect(Errno.EOPNOTSUPP, () -> Format.x86FirstStage(5, true));
        expect(Errno.EOPNOTSUPP, () -> Format.amdV1(1));
        expect(Errno.EOPNOTSUPP, () -> Format.amdV1(6));
    }

    @ParameterizedTest(name = "top level {0}: {1} bits")
    @CsvSource({"2, 39", "3, 48", "4, 57"})
    @Rule("PT-10")
    void vtdWidthsAndTheirField(int topLevel, int bits) {
        try (Fixture f = new Fixture(Format.vtdSecondStage(topLevel))) {
            assertThat(f.table.lastIova()).isEqualTo((1L << bits) - 1);
            assertThat(f.table.topLevel()).isEqualTo(topLevel);
            assertThat(f.table.depthField()).isEqualTo(topLevel - 1);
            f.table.map((1L << bits) - 4096, 0, 4096, R);
            expect(Errno.ERANGE, () -> f.table.map(1L << bits, 0, 4096, R));
            expect(Errno.ERANGE, () -> f.table.map((1L << bits) - 8192, 0, 16384, R));
            assertThat(f.walk((1L << bits) - 1, false))
                    .isEqualTo("fff in %x+1000 r-".formatted((1L << bits) - 4096));
            assertThat(f.walk(1L << bits, false)).isEqualTo("fault 4");
        }
    }

    @Test
    @Rule("PT-22")
    void x86IsWalkedInBothHalvesIfSignExtendedButOffersTheLower() {
        for (int topLevel = 3; topLevel <= 4; topLevel++) {
            long half = 1L << 20 + 9 * topLevel;
            try (Fixture f = new Fixture(Format.x86FirstStage(topLevel, true))) {
                assertThat(f.table.lastIova()).isEqualTo(half - 1);
                f.table.map(half - 4096, 0x1000, 4096, R);
                f.table.map(-half, 0x2000, 4096, R);
                f.table.map(-4096, 0x3000, 4096, R);
                assertThat(f.walk(half - 1, false)).startsWith("1fff in");
                assertThat(f.walk(-half, false)).startsWith("2000 in");
                assertThat(f.walk(-1, false)).isEqualTo("3fff in fffffffffffff000+1000 r-");
                assertThat(f.walk(half, false)).isEqualTo("fault 4");
                expect(Errno.ERANGE, () -> f.table.map(half, 0, 4096, R));
                expect(Errno.ERANGE, () -> f.table.map(-half - 4096, 0, 8192, R));
                assertThat(f.unmap(-4096, 4096)).isEqualTo(4096);
                assertThat(f.unmap(-half, 4096)).isEqualTo(4096);
            }
            try (Fixture f = new Fixture(Format.x86FirstStage(topLevel, false))) {
                assertThat(f.table.lastIova()).isEqualTo(half - 1);
                assertThat(f.walk(-1, false)).isEqualTo("fault 4");
                expect(Errno.ERANGE, () -> f.table.map(-4096, 0, 4096, R));
            }
        }
    }

    @Test
    @Rule("PT-7")
    void amdGrowsUpToTheHardwaresLimit() {
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            assertThat(f.table.lastIova()).isEqualTo(-1);
            assertThat(f.table.topLevel()).isEqualTo(2);
            assertThat(f.table.depthField()).isEqualTo(3);
            f.table.map(0, 0x5000, 4096, R);
            long old = f.table.root();
            assertThat(f.walk(1L << 39, false)).isEqualTo("fault 6");
            assertThat(f.table.physicalOf(1L << 39)).isEqualTo(-1);
            assertThat(f.unmap(1L << 39, 4096)).isZero();
            f.table.map(1L << 39, 0x6000, 4096, R);
            assertThat(f.table.topLevel()).isEqualTo(3);
            assertThat(f.table.depthField()).isEqualTo(4);
            assertThat(f.memory.peek(f.table.root())).isEqualTo(old | 0x6000000000000601L);
            f.table.map(-4096, 0x7000, 4096, R);
            assertThat(f.table.topLevel()).isEqualTo(5);
            assertThat(f.walk(0, false)).startsWith("5000 in");
            assertThat(f.walk(1L << 39, false)).startsWith("6000 in");
            assertThat(f.walk(-1, false)).startsWith("7fff in");
            assertThat(f.unmap(-4096, 4096)).isEqualTo(4096);
        }
        try (Fixture f = new Fixture(Format.amdV1(3))) {
            assertThat(f.table.lastIova()).isEqualTo((1L << 48) - 1);
            expect(Errno.ERANGE, () -> f.table.map(1L << 48, 0, 4096, R));
            assertThat(f.table.topLevel()).isEqualTo(2);
            assertThat(f.walk(1L << 48, false)).isEqualTo("fault 4");
        }
    }

    @Test
    @Rule("PT-7")
    void amdGrowsForALeafThatOnlyAHigherLevelHas() {
        try (Fixture f = new Fixture(Format.amdV1(5))) {
            f.table.map(0, 0, 1L << 40, R);
            assertThat(f.table.topLevel()).isEqualTo(3);
            assertThat(f.walk((1L << 40) - 1, false)).isEqualTo("ffffffffff in 0+10000000000 r-");
        }
    }
}
