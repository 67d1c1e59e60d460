package org.peerlane.memory.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PageAllocator;

@DisplayName("Buddy allocator")
class BuddyAllocatorTest {
    private static final long PAGE = 4096;
    private final LiveExecution execution = new LiveExecution("test");
    private final Memory memory = new Memory(execution, 64L << 20);
    private final PageAllocator pages = memory.pages();
    private final long[] freshRuns = runs();

    @AfterEach
    void close() {
        memory.close();
        execution.close();
    }

    private long[] runs() {
        long[] all = new long[PageAllocator.MAX_ORDER + 1];
        for (int order = 0; order < all.length; order++) {
            all[order] = pages.freeRuns(order);
        }
        return all;
    }

    @Test
    void allButTheFirstMebibyteIsFreeAtTheStart() {
        assertThat(pages.totalPages()).isEqualTo(16384);
        assertThat(pages.freePages()).isEqualTo(16384 - 256);
        assertThat(pages.freeRuns(10)).isEqualTo(15);
        assertThat(pages.freeRuns(9)).isEqualTo(1);
        assertThat(pages.freeRuns(8)).isEqualTo(1);
    }

    /** A million calls against a map of pages: runs are aligned, disjoint, and all come back. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void runsAreAlignedAndDisjointAndJoinAgain(long seed) {
        var random = new SplittableRandom(seed);
        var taken = new BitSet();
        List<long[]> held = new ArrayList<>();
        long free = pages.freePages();
        for (int i = 0; i < 400_000; i++) {
            if (random.nextInt(100) < 52 || held.isEmpty()) {
                int order = Math.min(10, Integer.numberOfTrailingZeros(random.nextInt() | 1024));
                try {
                    long at = pages.allocate(order);
                    int first = (int) (at / PAGE);
                    assertThat(at % (PAGE << order)).isZero();
                    int busy = taken.nextSetBit(first);
                    assertThat(busy == -1 || busy >= first + (1 << order)).isTrue();
                    taken.set(first, first + (1 << order));
                    held.add(new long[] {at, order});
                } catch (ErrnoException e) {
                    assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
                }
            } else {
                int which = random.nextInt(held.size());
                long[] run = held.get(which);
                held.set(which, held.getLast());
                held.removeLast();
                pages.free(run[0], (int) run[1]);
                taken.clear((int) (run[0] / PAGE), (int) (run[0] / PAGE) + (1 << run[1]));
            }
            assertThat(pages.freePages()).isEqualTo(free - taken.cardinality());
            if (i % 1000 == 0) {
                long sum = 0;
                for (int order = 0; order <= 10; order++) {
                    sum += pages.freeRuns(order) << order;
                }
                assertThat(sum).isEqualTo(pages.freePages());
            }
        }
        held.forEach(run -> pages.free(run[0], (int) run[1]));
        assertThat(runs()).isEqualTo(freshRuns);
    }

    @Test
    void aSplitLeavesOneRunOfEachOrderBetween() {
        while (pages.freeRuns(0) + pages.freeRuns(8) + pages.freeRuns(9) > 0) {
            pages.allocate(8);
        }
        long tens = pages.freeRuns(10);
        pages.allocate(0);
        assertThat(pages.freeRuns(10)).isEqualTo(tens - 1);
        for (int order = 0; order < 10; order++) {
            assertThat(pages.freeRuns(order)).isEqualTo(1);
        }
    }

    @Test
    void noRunLeftIsEnomemWithTheCount() {
        while (pages.freeRuns(10) > 0) {
            pages.allocate(10);
        }
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> pages.allocate(10))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM))
                .withMessageContaining("768 of 16384 pages are free");
    }

    @Test
    void aSecondFreeAndAnotherOrderAreRefused() {
        long at = pages.allocate(3);
        assertThatIllegalStateException()
                .isThrownBy(() -> pages.free(at, 2))
                .withMessageContaining("was taken with order 3");
        assertThatIllegalStateException()
                .isThrownBy(() -> pages.free(at + PAGE, 0))
                .withMessageContaining("not the start of a run");
        pages.free(at, 3);
        assertThatIllegalStateException().isThrownBy(() -> pages.free(at, 3));
        assertThatIllegalStateException().isThrownBy(() -> pages.free(0, 0));
        assertThatIllegalStateException().isThrownBy(() -> pages.free(1L << 40, 0));
        assertThat(runs()).isEqualTo(freshRuns);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 11, 64})
    void anOrderOutOfRangeIsEinval(int order) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> pages.allocate(order))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .withMessageContaining(Integer.toString(order));
    }

    @Test
    void anInjectedFailureComesAtTheNthCallAndOnce() {
        pages.failNth(3);
        pages.free(pages.allocate(0), 0);
        pages.free(pages.allocate(0), 0);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> pages.allocate(0))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
        pages.free(pages.allocate(0), 0);
        assertThat(runs()).isEqualTo(freshRuns);
    }
}
