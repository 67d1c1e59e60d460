package org.peerlane.iommu.core.table;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.memory.core.SparseMemory;

/**
 * Prints what a walk, a map and an unmap cost, beside a bare four-load walk. Not a test: run its
 * main, with the class path of the tests.
 */
final class TableSpeed {
    private static final int RW = PageTable.READ | PageTable.WRITE;
    private static final long BASE = 1L << 41;
    private static final long LARGE = BASE + (1L << 30);
    private static final int PAGES = 256;

    /** Few, so that some rounds are not interrupted: the best one counts. */
    private static final int CALLS = 8_192;

    /** Not final: of a constant the JIT knows the upper indices, and loads those entries once. */
    private static long base = BASE;

    private static long sink;

    private TableSpeed() {}

    public static void main(String[] args) {
        try (LiveExecution execution = new LiveExecution("speed");
                SparseMemory memory = new SparseMemory(execution, 64)) {
            Checkpoint warm = execution.checkpoint("speed");
            warm.reached();
            Format[] formats = {
                Format.amdV1(5), Format.vtdSecondStage(3), Format.x86FirstStage(3, true)
            };
            for (int round = 0; round < 3; round++) {
                for (Format format : formats) {
                    RadixTable table = new RadixTable(execution, memory, format, gather -> {});
                    measure(memory, format, table);
                    table.free();
                }
            }
        }
        System.out.println("sink " + sink);
    }

    private static void measure(SparseMemory memory, Format format, RadixTable table) {
        // Offset by a page, so that no larger page fits anywhere.
        table.map(BASE, 0x1000, 512 * 4096, RW);
        MemorySegment ram = memory.regions().getFirst().segment();
        Walked walk = new Walked();
        double bare = time(CALLS, () -> bareWalks(ram, table.root()));
        double read = time(CALLS, () -> walks(table, walk, false));
        double write = time(CALLS, () -> walks(table, walk, true));
        table.map(LARGE, 1L << 21, 1L << 21, RW);
        double large = time(CALLS, () -> largeWalks(table, walk));
        Gather gather = new Gather();
        table.unmap(BASE, 256 * 4096, gather);
        table.release(gather);
        double oneMap = 0;
        double oneUnmap = 0;
        double allMap = 0;
        double allUnmap = 0;
        int rounds = 20_000;
        for (int phase = 0; phase < 2; phase++) {
            long[] best = {Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE};
            for (int i = 0; i < rounds; i++) {
                long t0 = System.nanoTime();
                for (int p = 0; p < PAGES; p++) {
                    table.map(BASE + 4096L * p, 0x1000 + 4096L * p, 4096, RW);
                }
                long t1 = System.nanoTime();
                for (int p = 0; p < PAGES; p++) {
                    sink += table.unmap(BASE + 4096L * p, 4096, gather);
                    gather.clear();
                }
                long t2 = System.nanoTime();
                table.map(BASE, 0x1000, PAGES * 4096L, RW);
                long t3 = System.nanoTime();
                sink += table.unmap(BASE, PAGES * 4096L, gather);
                gather.clear();
                long t4 = System.nanoTime();
                best[0] = Math.min(best[0], t1 - t0);
                best[1] = Math.min(best[1], t2 - t1);
                best[2] = Math.min(best[2], t3 - t2);
                best[3] = Math.min(best[3], t4 - t3);
            }
            oneMap = (double) best[0] / PAGES;
            oneUnmap = (double) best[1] / PAGES;
            allMap = best[2];
            allUnmap = best[3];
        }
        System.out.printf(
                "%-17s bare %.1f  walk read %.1f write %.1f, 2 MiB %.1f ns; 1 page map %.1f unmap %.1f ns;"
                        + " 256 pages map %.0f unmap %.0f ns; ratio %.1f %.1f%n",
                format.kind(),
                bare,
                read,
                write,
                large,
                oneMap,
                oneUnmap,
                allMap,
                allUnmap,
                oneMap * PAGES / allMap,
                oneUnmap * PAGES / allUnmap);
    }

    private static double time(int calls, LongSupplier body) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 3_000; i++) {
            long start = System.nanoTime();
            sink += body.getAsLong();
            best = Math.min(best, System.nanoTime() - start);
        }
        return (double) best / calls;
    }

    private static long walks(PageTable table, Walked walk, boolean write) {
        long sum = 0;
        for (int i = 0; i < CALLS; i++) {
            long iova = base + (i * 37L & 511) * 4096;
            sum += walk.of(table, iova, write);
            sum += walk.physical;
        }
        return sum;
    }

    private static long largeWalks(PageTable table, Walked walk) {
        long sum = 0;
        for (int i = 0; i < CALLS; i++) {
            sum += walk.of(table, base + (1L << 30) + (i * 37L & 511) * 4096, false);
            sum += walk.physical;
        }
        return sum;
    }

    /** Four dependent loads and nothing else. */
    private static long bareWalks(MemorySegment ram, long root) {
        long sum = 0;
        for (int i = 0; i < CALLS; i++) {
            long iova = base + (i * 37L & 511) * 4096;
            long table = root;
            for (int shift = 39; shift > 12; shift -= 9) {
                long entry = ram.get(JAVA_LONG, table + (iova >>> shift & 511) * 8);
                table = entry & 0xF_FFFF_FFFF_F000L;
            }
            sum += ram.get(JAVA_LONG, table + (iova >>> 12 & 511) * 8);
        }
        return sum;
    }
}
