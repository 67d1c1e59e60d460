package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.testkit.Rule;

@DisplayName("Paging-structure cache")
class TableCacheTest {
    private static final long SPAN = 1L << 21;
    private static final int TAG = 7;
    private static final int RW = Fixture.RW;

    private final TableCache cache = new TableCache();

    @Rule("PT-51")
    @Test
    void aTableIsWalkedUntilItIsInvalidatedEvenIfItIsUnlinked() {
        try (Fixture f = new Fixture(Format.vtdSecondStage(3))) {
            long odd = f.memory.pages().allocate(0); // pages come from two regions in turns
            f.table.map(0, 0x1000, SPAN, RW); // 512 leaves
            long walked = f.table.walk(0x3000, true, cache, TAG);
            assertThat(Walk.physical(walked, 0x3000)).isEqualTo(0x4000);
            assertThat(f.table.smallLeaf(0x5000, PageTable.READ, cache, TAG))
                    .as("not marked yet")
                    .isZero();
            assertThat(f.table.smallLeaf(0x3000, PageTable.WRITE, cache, TAG))
                    .isEqualTo(walked & ~(Walk.DIRTY | Walk.GRANTED));

            assertThat(f.table.unmap(0, SPAN, f.gather)).isEqualTo(SPAN);
            assertThat(f.gather.pages()).isEqualTo(1);
            f.table.map(0x3000, 0x9000, 4096, RW); // in another table page
            assertThat(Walk.reason(f.table.walk(0x3000, false, cache, TAG)))
                    .as("the table page that is unlinked is empty")
                    .isEqualTo(Walker.READ_DENIED);

            cache.invalidate(TAG, 0x8000, 0x8FFF);
            long now = f.table.walk(0x3000, false, cache, TAG);
            assertThat(Walk.physical(now, 0x3000)).isEqualTo(0x9000);
            f.memory.pages().free(odd, 0);
        }
    }

    @Test
    void whatTheUpperLevelsDoNotGrantIsNotGrantedByWayOfTheCache() {
        try (Fixture f = new Fixture(Format.amdV1(3))) {
            f.table.map(0x1000, 0x8000, 4096, RW);
            f.table.walk(0x1000, true);
            long above = f.entry(1, 0x1000);
            f.memory.poke(f.slot(1, 0x1000), above & ~(1L << 62)); // IW
            assertThat(Walk.permissions(f.table.walk(0x1000, false, cache, TAG)))
                    .isEqualTo(PageTable.READ);
            assertThat(f.table.smallLeaf(0x1000, PageTable.READ, cache, TAG)).isNotZero();
            assertThat(f.table.smallLeaf(0x1000, PageTable.WRITE, cache, TAG)).isZero();
            assertThat(Walk.reason(f.table.walk(0x1000, true, cache, TAG)))
                    .isEqualTo(Walker.WRITE_DENIED);
            f.memory.poke(f.slot(1, 0x1000), above);
        }
    }

    @Test
    void domainsDoNotSeeEachOthersTables() {
        int far = TAG | 1 << 21;
        cache.put(TAG, 0, 0x4000, RW);
        assertThat(cache.find(far, 0)).isZero();
        cache.put(far, 5 * SPAN, 0x5000, PageTable.READ);
        assertThat(TableCache.table(cache.find(far, 5 * SPAN + 12))).isEqualTo(0x5000);
        assertThat(cache.find(TAG, 5 * SPAN)).isZero();
        cache.invalidate(TAG, 0, -1);
        assertThat(cache.find(TAG, 0)).isZero();
        long before = cache.version();
        cache.put(TAG, SPAN, 0x6000, 0);
        assertThat(cache.version()).as("nothing granted, nothing kept").isEqualTo(before);
        cache.clear();
        assertThat(cache.find(far, 5 * SPAN)).isZero();
    }
}
