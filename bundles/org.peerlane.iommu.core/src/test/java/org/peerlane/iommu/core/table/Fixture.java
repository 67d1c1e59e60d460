package org.peerlane.iommu.core.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** One table in poisoned memory. Closing it frees the table and finds no page missing. */
final class Fixture implements AutoCloseable {
    static final int R = PageTable.READ;
    static final int W = PageTable.WRITE;
    static final int RW = R | W;

    final LiveExecution execution = new LiveExecution("table-test");
    final PoisonedMemory memory;
    final Gather gather = new Gather();
    final Walked walk = new Walked();
    final List<String> flushes = new ArrayList<>();
    final RadixTable table;

    Fixture(Format format) {
        this(format, 256);
    }

    Fixture(Format format, int pagesPerRegion) {
        memory = new PoisonedMemory(pagesPerRegion);
        table =
                new RadixTable(
                        execution,
                        memory,
                        format,
                        g ->
                                flushes.add(
                                        "%x-%x, %d pages"
                                                .formatted(g.first(), g.last(), g.pages())));
    }

    /** {@return the entry at a level, read out of memory by hand} */
    long entry(int level, long iova) {
        return memory.peek(slot(level, iova));
    }

    long slot(int level, long iova) {
        long page = table.root();
        for (int at = table.topLevel(); ; at--) {
            long slot = page + (iova >>> 12 + 9 * at & 511) * 8;
            if (at == level) {
                return slot;
            }
            page = memory.peek(slot) & 0xF_FFFF_FFFF_F000L;
        }
    }

    /** {@return what an unmap removed; its table pages are given back} */
    long unmap(long iova, long bytes) {
        long removed = table.unmap(iova, bytes, gather);
        table.release(gather);
        return removed;
    }

    /** {@return physical address, bytes of the leaf and permissions, or the fault} */
    String walk(long iova, boolean write) {
        int reason = walk.of(table, iova, write);
        return reason != 0
                ? "fault %x".formatted(reason)
                : "%x in %x+%x %s%s"
                        .formatted(
                                walk.physical,
                                walk.leafIova,
                                walk.leafBytes,
                                (walk.permissions & R) != 0 ? "r" : "-",
                                (walk.permissions & W) != 0 ? "w" : "-");
    }

    static void expect(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Override
    public void close() {
        table.release(gather);
        table.free();
        execution.close();
        assertThat(memory.takenPages()).as("table pages that leaked").isZero();
    }
}
