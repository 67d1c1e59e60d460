package org.peerlane.memory.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.memory.api.PageAllocator.MAX_ORDER;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A buddy zone")
class BuddyZoneTest {

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 42})
    void agreesWithAPlainModelOverAMillionOperations(long seed) {
        int pages = 64 * 1024 + 37; // an odd end
        int reserved = 256;
        BuddyZone zone = new BuddyZone(pages, reserved);
        BuddyModel model = new BuddyModel(pages, reserved);
        Random random = new Random(seed);
        long[] page = new long[pages];
        int[] order = new int[pages];
        int held = 0;
        for (int i = 0; i < 1_000_000; i++) {
            boolean grow = (i / 50_000) % 2 == 0; // fills and empties by turns
            if (held == 0 || random.nextInt(100) < (grow ? 60 : 40)) {
                int wanted = Math.min(MAX_ORDER, random.nextInt(1 << MAX_ORDER) % (MAX_ORDER + 1));
                long got = zone.take(wanted);
                if (got != model.take(wanted)) {
                    throw new AssertionError("step %d: took 0x%x".formatted(i, got));
                }
                if (got >= 0) {
                    page[held] = got;
                    order[held++] = wanted;
                }
            } else {
                int at = random.nextInt(held);
                assertThat(zone.give(page[at], order[at])).isTrue();
                model.give(page[at], order[at]);
                page[at] = page[--held];
                order[at] = order[held];
            }
            if (i % 10_000 == 0) {
                model.compareWith(zone);
            }
        }
        while (held > 0) {
            assertThat(zone.give(page[--held], order[held])).isTrue();
            model.give(page[held], order[held]);
        }
        model.compareWith(zone);
        assertThat(zone.freePages()).isEqualTo(pages - reserved);
        assertThat(zone.freeRuns(MAX_ORDER)).isEqualTo(63);
    }

    @Test
    void coalescesToTheLargestRunsWhateverTheOrderOfFrees() {
        int pages = 8 << MAX_ORDER;
        BuddyZone zone = new BuddyZone(pages, 0);
        for (int i = 0; i < pages; i++) {
            assertThat(zone.take(0)).isEqualTo(i); // the lowest first
        }
        assertThat(zone.take(0)).isEqualTo(-1);
        for (int i = 0; i < pages; i += 2) {
            assertThat(zone.give(i, 0)).isTrue();
        }
        assertThat(zone.freeRuns(0)).isEqualTo(pages / 2); // half is free, and nothing larger
        assertThat(zone.take(1)).isEqualTo(-1);
        for (int i = pages - 1; i > 0; i -= 2) {
            assertThat(zone.give(i, 0)).isTrue();
        }
        for (int order = 0; order < MAX_ORDER; order++) {
            assertThat(zone.freeRuns(order)).isZero();
        }
        assertThat(zone.freeRuns(MAX_ORDER)).isEqualTo(8);
    }

    @Test
    void knowsWhatIsTakenAndHow() {
        BuddyZone zone = new BuddyZone(2048, 0);
        long page = zone.take(3);
        assertThat(zone.takenOrder(page)).isEqualTo(3);
        assertThat(zone.give(page, 2)).isFalse();
        assertThat(zone.give(page + 1, 0)).isFalse();
        assertThat(zone.give(-1, 0)).isFalse();
        assertThat(zone.give(4096, 0)).isFalse();
        assertThat(zone.freePages()).isEqualTo(2040);
        assertThat(zone.give(page, 3)).isTrue();
        assertThat(zone.give(page, 3)).isFalse();
        assertThat(zone.freePages()).isEqualTo(2048);
    }

    /** The same policy written for the reader: a sorted map of the free runs of each order. */
    private static final class BuddyModel {
        private final List<TreeMap<Long, Boolean>> free = new ArrayList<>();

        BuddyModel(long pages, long reserved) {
            for (int order = 0; order <= MAX_ORDER; order++) {
                free.add(new TreeMap<>());
            }
            for (long page = reserved; page < pages; page++) {
                give(page, 0);
            }
        }

        long take(int order) {
            for (int from = order; from <= MAX_ORDER; from++) {
                if (!free.get(from).isEmpty()) {
                    long page = free.get(from).firstKey();
                    free.get(from).remove(page);
                    for (int half = from - 1; half >= order; half--) {
                        free.get(half).put(page + (1L << half), true);
                    }
                    return page;
                }
            }
            return -1;
        }

        final void give(long first, int from) {
            long page = first;
            int order = from;
            while (order < MAX_ORDER && free.get(order).remove(page ^ 1L << order) != null) {
                page &= ~(1L << order);
                order++;
            }
            free.get(order).put(page, true);
        }

        void compareWith(BuddyZone zone) {
            long pages = 0;
            for (int order = 0; order <= MAX_ORDER; order++) {
                assertThat(zone.freeRuns(order))
                        .as("order %d", order)
                        .isEqualTo(free.get(order).size());
                pages += (long) free.get(order).size() << order;
            }
            assertThat(zone.freePages()).isEqualTo(pages);
        }
    }
}
