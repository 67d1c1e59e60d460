package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.iommu.core.table.Fixture.R;
import static org.peerlane.iommu.core.table.Fixture.RW;
import static org.peerlane.iommu.core.table.Fixture.W;
import static org.peerlane.iommu.core.table.Fixture.expect;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

@DisplayName("The hardware's walk")
class WalkTest {
    private static final Format AMD = Format.amdV1(5);
    private static final Format VTD = Format.vtdSecondStage(3);
    private static final Format X86 = Format.x86FirstStage(3, true);
    private static final long MIB2 = 1L << 21;

    @Test
    @Rule("IM-6")
    void deniesWhatTheLeafDoesNotGrant() {
        for (Format format : List.of(AMD, VTD)) {
            try (Fixture f = new Fixture(format)) {
                f.table.map(0x1000, 0, 0x1000, R);
                f.table.map(0x2000, 0, 0x1000, W);
                assertThat(f.walk(0x1000, false)).isEqualTo("0 in 1000+1000 r-");
                assertThat(f.walk(0x1000, true)).isEqualTo("fault 5");
                assertThat(f.walk(0x2000, true)).isEqualTo("0 in 2000+1000 -w");
                assertThat(f.walk(0x2000, false)).isEqualTo("fault 6");
                assertThat(f.walk(0x3000, false)).isEqualTo("fault 6");
                assertThat(f.walk(0x3000, true)).isEqualTo("fault 5");
                assertThat(f.walk(1L << 35, true)).isEqualTo("fault 5");
            }
        }
        try (Fixture f = new Fixture(X86)) {
            f.table.map(0x1000, 0, 0x1000, R);
            assertThat(f.walk(0x1000, true)).isEqualTo("fault 5");
        }
    }

    @Test
    @Rule("PT-13")
    @Rule("IM-6")
    void grantsOnlyWhatTheWholePathGrants() {
        for (Format format : List.of(AMD, VTD, X86)) {
            long write = format == AMD ? 1L << 62 : 2;
            for (int level = 1; level <= 2; level++) {
                try (Fixture f = new Fixture(format)) {
                    f.table.map(0x1000, 0, 0x1000, RW);
                    long slot = f.slot(level, 0x1000);
                    f.memory.poke(slot, f.memory.peek(slot) & ~write);
                    assertThat(f.walk(0x1000, true)).isEqualTo("fault 5");
                    assertThat(f.walk(0x1000, false)).isEqualTo("0 in 1000+1000 r-");
                }
            }
        }
        try (Fixture f = new Fixture(X86)) {
            f.table.map(0x1000, 0, 0x1000, RW);
            long slot = f.slot(1, 0x1000);
            f.memory.poke(slot, f.memory.peek(slot) & ~4);
            assertThat(f.walk(0x1000, false)).isEqualTo("fault 6");
            f.memory.poke(slot, f.memory.peek(slot) | 4);
        }
    }

    @Test
    @Rule("IM-6")
    void takesReservedBitsForAFault() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0, 0, 0x1000, R);
            f.table.map(1L << 30, 0, MIB2, R);
            expectFaultWith(f, 0, 0, 1L << 52);
            expectFaultWith(f, 0, 0, 1L << 58);
            expectFaultWith(f, 1, 0, 1L << 59);
            expectFaultWith(f, 1, 1L << 30, 0x1000);
            expectFaultWith(f, 1, 1L << 30, 0xE00); // says 8 KiB, at level 1
            expectFaultWith(f, 0, 0, 0xFF000 | 0xE00 | 0xFF00000); // more than a table of it
        }
        try (Fixture f = new Fixture(VTD)) {
            f.table.map(0, 0, 0x1000, R);
            f.table.map(1L << 30, 0, MIB2, R);
            expectFaultWith(f, 0, 0, 1L << 62);
            expectFaultWith(f, 1, 0, 1L << 62);
            expectFaultWith(f, 1, 0, 1L << 11);
            expectFaultWith(f, 1, 1L << 30, 0x1000);
            expectFaultWith(f, 3, 0, 1L << 7);
            assertThat(faultWith(f, 0, 0, 1L << 63 | 1L << 60 | 1L << 10)).doesNotContain("fault");
        }
        try (Fixture f = new Fixture(X86)) {
            f.table.map(1L << 30, 0, MIB2, R);
            expectFaultWith(f, 1, 1L << 30, 0x2000);
            expectFaultWith(f, 3, 1L << 30, 1L << 7);
            assertThat(faultWith(f, 1, 1L << 30, 1L << 63 | 1L << 62 | 1L << 9))
                    .doesNotContain("fault");
        }
    }

    private static void expectFaultWith(Fixture f, int level, long iova, long bits) {
        assertThat(faultWith(f, level, iova, bits)).as("0x%x", bits).isEqualTo("fault c");
    }

    private static String faultWith(Fixture f, int level, long iova, long bits) {
        long slot = f.slot(level, iova);
        long entry = f.memory.peek(slot);
        f.memory.poke(slot, entry | bits);
        String answer = f.walk(iova, false);
        f.memory.poke(slot, entry);
        return answer;
    }

    @Test
    @Rule("IM-6")
    void aDamagedTableGivesAFaultAndNeverAnException() {
        for (Format format : List.of(AMD, VTD, X86)) {
            try (Fixture f = new Fixture(format)) {
                f.table.map(0, 0, 0x1000, RW);
                for (int level = 0; level <= 2; level++) {
                    long slot = f.slot(level, 0);
                    long entry = f.memory.peek(slot);
                    Random random = new Random(level);
                    for (int i = 0; i < 20_000; i++) {
                        f.memory.poke(slot, random.nextLong() & random.nextLong());
                        int reason = f.walk.of(f.table, 0, (i & 1) != 0);
                        assertThat(reason).isIn(0, 5, 6, 7, 0xC);
                    }
                    f.memory.poke(slot, entry & ~0xF_FFFF_FFFF_F000L | 0x8_0000_0000L);
                    assertThat(f.walk(0, false))
                            .isEqualTo(level == 0 ? "800000000 in 0+1000 rw" : "fault 7");
                    f.memory.poke(slot, entry);
                }
            }
        }
    }

    @Test
    @Rule("PT-8")
    void amdMarksTheEntryItUsedDirtyOnWrites() {
        try (Fixture f = new Fixture(AMD)) {
            f.table.map(0x10000, 0x10000, 0x10000, RW);
            long clean = f.entry(0, 0x10000);
            f.walk(0x14000, false);
            assertThat(f.walk.dirty).isFalse();
            f.walk(0x14000, true);
            assertThat(f.walk.dirty).isTrue();
            for (long iova = 0x10000; iova < 0x20000; iova += 0x1000) {
                assertThat(f.entry(0, iova)).isEqualTo(iova == 0x14000 ? clean | 1 << 6 : clean);
            }
            f.walk(0x14000, false);
            assertThat(f.walk.dirty).isTrue();
            f.table.map(0x20000, 0, 0x1000, R);
            f.walk(0x20000, true);
            assertThat(f.entry(0, 0x20000) & 1 << 6).isZero();
        }
    }

    @Test
    @Rule("PT-11")
    @Rule("PT-14")
    void vtdMarksThePathAccessedAndTheLeafDirty() {
        try (Fixture f = new Fixture(VTD)) {
            f.table.map(0x1000, 0, 0x2000, RW);
            f.walk(0x1000, false);
            for (int level = 0; level <= 3; level++) {
                assertThat(f.entry(level, 0x1000) & 0xF00).isEqualTo(0x100);
            }
            f.walk(0x1000, true);
            assertThat(f.entry(0, 0x1000) & 0xF00).isEqualTo(0x300);
            assertThat(f.entry(1, 0x1000) & 0xF00).isEqualTo(0x100);
            assertThat(f.entry(0, 0x2000) & 0xF00).isZero();
            assertThat(f.walk.dirty).isTrue();
            assertThat(f.unmap(0x1000, 0x2000)).isEqualTo(0x2000);
        }
    }

    @Test
    @Rule("PT-11")
    void vtdEntriesThatAreNotZeroArePresent() {
        try (Fixture f = new Fixture(VTD)) {
            f.table.map(0, 0x1000, 0x1000, R);
            f.memory.poke(f.slot(0, 0x2000), 1L << 52);
            assertThat(f.walk(0x2000, false)).isEqualTo("fault 6");
            expect(Errno.EADDRINUSE, () -> f.table.map(0x2000, 0, 0x1000, R));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Rule("PT-8")
    @Rule("PT-14")
    @Rule("PT-53")
    void dirtyLeavesAreReportedInRunsAndClearedIfAsked(boolean clear) {
        for (Format format : List.of(AMD, VTD)) {
            try (Fixture f = new Fixture(format)) {
                f.table.map(0x10000, 0x10000, 0x10000, RW);
                f.table.map(0x20000, 0, 0x1000, RW);
                f.table.map(0x22000, 0, 0x1000, RW);
                f.table.map(1L << 31, 0, MIB2, RW);
                for (long iova : new long[] {0x13000, 0x14000, 0x20000, (1L << 31) + 5}) {
                    f.walk(iova, true);
                }
                f.walk(0x22000, false);
                String first = format == AMD ? "10000+11000" : "13000+2000 20000+1000";
                String all = first + " 80000000+200000";
                assertThat(dirty(f, 0, 1L << 32, clear)).isEqualTo(all);
                assertThat(f.gather.isEmpty()).isEqualTo(!clear);
                if (clear) {
                    assertThat(f.gather.first()).isEqualTo(format == AMD ? 0x10000 : 0x13000);
                    assertThat(f.gather.last()).isEqualTo((1L << 31) + MIB2 - 1);
                }
                assertThat(dirty(f, 0, 1L << 32, false)).isEqualTo(clear ? "" : all);
                f.walk(0x1F000, true);
                assertThat(dirty(f, 0x1F800, 1, clear))
                        .isEqualTo(format == AMD ? "10000+10000" : "1f000+1000");
                assertThat(f.walk(0x13000, true)).contains(" rw");
            }
        }
    }

    private static String dirty(Fixture f, long iova, long bytes, boolean clear) {
        List<String> runs = new ArrayList<>();
        f.table.dirty(
                iova, bytes, clear, (at, run) -> runs.add("%x+%x".formatted(at, run)), f.gather);
        return String.join(" ", runs);
    }

    @Test
    @Rule("PT-21")
    void x86TracksNoDirt() {
        try (Fixture f = new Fixture(X86)) {
            f.table.map(0, 0, 0x1000, RW);
            f.walk(0, false);
            assertThat(f.walk.dirty).isTrue();
            expect(Errno.EOPNOTSUPP, () -> dirty(f, 0, 4096, false));
        }
        try (Fixture f = new Fixture(VTD)) {
            expect(Errno.ERANGE, () -> dirty(f, 0, 0, false));
            expect(Errno.ERANGE, () -> dirty(f, 1L << 48, 1, false));
        }
    }
}
