package org.peerlane.iommu.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.Execution;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("IOVA allocation")
class IovaAllocatorTest {
    private static final long PAGE = 4096;
    private static final long MASK_32 = 0xFFFF_FFFFL;

    @Rule("IM-9")
    @Explore(schedules = 1)
    void runsComeFromTheTopAlignedToTheirSizeAndAroundWhatIsReserved(Execution execution) {
        IovaAllocator iovas = new IovaAllocator(execution, (1L << 48) - 1);
        iovas.reserve(0xFEE0_0000L, 0xFEEF_FFFFL);
        assertThat(iovas.allocate(PAGE, MASK_32)).isEqualTo(0xFFFF_F000L);
        assertThat(iovas.allocate(3 * PAGE, MASK_32)).isEqualTo(0xFFFF_8000L);
        assertThat(iovas.allocate(PAGE, MASK_32)).isEqualTo(0xFFFF_E000L);
        assertThat(iovas.allocate(0x0100_0000L, MASK_32)).isEqualTo(0xFD00_0000L);
        assertThat(iovas.allocate(0x0010_0000L, MASK_32)).isEqualTo(0xFFE0_0000L);
        assertThat(iovas.allocate(PAGE, 0xFFFF)).isEqualTo(0xF000L);
    }

    @Explore(schedules = 1)
    void aFreedRunIsGivenOutAgainFirstAndNeverAboveTheLimit(Execution execution) {
        IovaAllocator iovas = new IovaAllocator(execution, (1L << 48) - 1);
        long high = iovas.allocate(PAGE, MASK_32);
        iovas.free(high, PAGE);
        assertThat(iovas.allocate(PAGE, 0xFF_FFFF)).isEqualTo(0xFF_F000L);
        assertThat(iovas.allocate(PAGE, MASK_32)).isEqualTo(high);
    }

    @Explore(schedules = 1)
    void whatIsInCachesIsFoundWhenNothingElseIsLeft(Execution execution) {
        IovaAllocator iovas = new IovaAllocator(execution, 0xF_FFFF);
        long pages = iovas.freePages();
        assertThat(pages).isEqualTo(255);
        long[] taken = new long[255];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = iovas.allocate(PAGE, -1);
            assertThat(taken[i]).isNotZero();
        }
        assertThat(iovas.allocate(PAGE, -1)).isZero();
        for (long iova : taken) {
            iovas.free(iova, PAGE);
        }
        assertThat(iovas.allocate(64 * PAGE, -1)).isNotZero();
        assertThat(iovas.freePages()).isEqualTo(255 - 64);
    }

    @Test
    void theTreeAgreesWithABitmap() {
        Random random = new Random(1);
        int pages = 4096;
        IovaTree tree = new IovaTree();
        tree.add(1, pages - 1);
        BitSet free = new BitSet();
        free.set(1, pages);
        Map<Long, Long> taken = new HashMap<>();
        for (int step = 0; step < 20_000; step++) {
            if (random.nextInt(5) < 3) {
                long size = 1 + random.nextInt(20);
                long align = 1L << random.nextInt(5);
                long limit = random.nextInt(pages);
                long expected = highest(free, (int) size, (int) align, (int) limit);
                assertThat(tree.take(size, align, limit)).isEqualTo(expected);
                if (expected >= 0) {
                    free.clear((int) expected, (int) (expected + size));
                    taken.put(expected, size);
                }
            } else if (!taken.isEmpty()) {
                long start = taken.keySet().iterator().next();
                long size = Objects.requireNonNull(taken.remove(start));
                tree.add(start, start + size - 1);
                free.set((int) start, (int) (start + size));
            }
            if (step % 100 == 0) {
                assertThat(tree.free()).isEqualTo(free.cardinality());
            }
        }
    }

    private static long highest(BitSet free, int size, int align, int limit) {
        for (int start = limit - size + 1 & -align; start >= 0; start -= align) {
            int hole = free.nextClearBit(start);
            if (hole >= start + size) {
                return start;
            }
        }
        return -1;
    }
}
