package org.peerlane.exporter.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.live.LiveExecution;

@DisplayName("Memory of a card")
class VramAllocatorTest {
    private static final long PAGE = VramAllocator.PAGE;
    private static final int PAGES = 256;

    private final LiveExecution execution = new LiveExecution("vram");
    private final VramAllocator vram = new VramAllocator(execution, PAGES * PAGE);

    @AfterEach
    void close() {
        execution.close();
    }

    @Test
    void whatFitsIntoOneRunIsOneRun() {
        List<VramAllocator.Block> five = vram.allocate(5 * PAGE, PAGES * PAGE);
        assertThat(five).hasSize(2); // 4 and 1, which follow each other
        assertThat(five.get(0).offset() + five.get(0).bytes()).isEqualTo(five.get(1).offset());
        assertThat(vram.free()).isEqualTo((PAGES - 5) * PAGE);
    }

    @Test
    void whatHasToBeBehindTheBarIsAndEverythingElseIsFarFromIt() {
        List<VramAllocator.Block> near = vram.allocate(PAGE, 16 * PAGE);
        List<VramAllocator.Block> far = vram.allocate(PAGE, PAGES * PAGE);
        assertThat(near.getFirst().offset()).isZero();
        assertThat(far.getFirst().offset()).isEqualTo((PAGES - 1) * PAGE);
        assertThat(vram.allocate(16 * PAGE, 16 * PAGE)).isNull();
        assertThat(vram.free()).isEqualTo((PAGES - 2) * PAGE);
    }

    @Test
    void twiceIsOnceTooOften() {
        List<VramAllocator.Block> one = vram.allocate(PAGES * PAGE, PAGES * PAGE);
        vram.free(one);
        assertThatThrownBy(() -> vram.free(one)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void againstABitmap() {
        Random random = new Random(42);
        BitSet taken = new BitSet(PAGES);
        List<List<VramAllocator.Block>> live = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            if (live.isEmpty() || random.nextBoolean()) {
                long end = (random.nextBoolean() ? PAGES : PAGES / 4) * PAGE;
                long pages = 1 + random.nextInt(40);
                @Nullable List<VramAllocator.Block> got = vram.allocate(pages * PAGE, end);
                int room = (int) (end / PAGE) - taken.get(0, (int) (end / PAGE)).cardinality();
                if (got == null) {
                    assertThat((long) room).as("free below the end").isLessThan(pages);
                    continue;
                }
                long sum = 0;
                for (VramAllocator.Block block : got) {
                    int first = (int) (block.offset() / PAGE);
                    int count = 1 << block.order();
                    assertThat(taken.get(first, first + count).isEmpty()).isTrue();
                    assertThat(block.offset() + block.bytes()).isLessThanOrEqualTo(end);
                    taken.set(first, first + count);
                    sum += count;
                }
                assertThat(sum).isEqualTo(pages);
                live.add(got);
            } else {
                List<VramAllocator.Block> gone = live.remove(random.nextInt(live.size()));
                for (VramAllocator.Block block : gone) {
                    int first = (int) (block.offset() / PAGE);
                    taken.clear(first, first + (1 << block.order()));
                }
                vram.free(gone);
            }
            assertThat(vram.free()).isEqualTo((PAGES - taken.cardinality()) * PAGE);
        }
        live.forEach(vram::free);
        assertThat(vram.allocate(PAGES * PAGE, PAGES * PAGE)).hasSize(1);
    }
}
