package org.peerlane.tests.benchmarks.iommu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.iommu.core.IommuUnit;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.tests.benchmarks.machine.Board;

/**
 * DMA through the IOMMU beside {@code MemorySegment.copy} of the same bytes, and translations that
 * the IOTLB does not have beside a bare walk of four loads.
 *
 * <p>One device is in a domain with a VT-d second stage, one in a domain with an AMDv1 table of as
 * many levels, one in a third, all in one machine.
 */
@State(Scope.Benchmark)
public class TranslationBenchmark {
    private static final int SMALL = 4096;
    private static final int LARGE = 65_536;
    private static final int RW = IommuDomain.READ | IommuDomain.WRITE;
    private static final long LEAF = 1L << 21;

    /** In the upper half of a table of four levels, so that AMDv1 grows to four. */
    private static final long SMALL_PAGES = 1L << 41;

    private static final long LARGE_PAGE = SMALL_PAGES + (1L << 30);

    /** Four times what an IOTLB holds. */
    private static final int PAGES = 2048;

    private static final int STEP = 37;
    private static final int VTD = 0;
    private static final int AMD = 1;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    private final MemorySegment local = Arena.ofAuto().allocate(LARGE, 4096);
    private final Board board =
            Board.translated(
                            IommuSettings.of(
                                    TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT))
                    .device()
                    .device()
                    .device();
    private final MemorySegment ram = board.ram();
    private final long block = board.block();
    private final IommuUnit iommu = board.iommu();
    private final DmaTranslation.Target target = new DmaTranslation.Target();
    private final int[] requesters = new int[2];
    private DmaPort vtd;
    private DmaPort amd;

    /** Of a table that is laid out like the VT-d one, for the bare walk. */
    private long bareRoot;

    /** Not final: of a constant the compiler knows the upper indices, and loads those once. */
    private long base = SMALL_PAGES;

    /** Plugs three devices and maps the same for each. */
    @Setup
    public void plug() throws InterruptedException {
        board.plug();
        TableFormat[] formats = {
            TableFormat.VTD_SECOND_STAGE, TableFormat.AMDV1, TableFormat.X86_64
        };
        for (int i = 0; i < formats.length; i++) {
            IommuDomain domain = iommu.newDomain(DomainSpec.of(formats[i]));
            domain.map(LARGE_PAGE, block, LEAF, RW);
            // one page off, so that no page is larger than 4 KiB
            for (long at = 0; at < (long) PAGES * SMALL; at += LEAF) {
                domain.map(SMALL_PAGES + at, block + SMALL, LEAF - SMALL, RW);
                domain.map(SMALL_PAGES + at + LEAF - SMALL, block, SMALL, RW);
            }
            board.attach(i, domain);
        }
        board.warm(SMALL_PAGES).warm(LARGE_PAGE);
        vtd = board.port(VTD);
        amd = board.port(AMD);
        for (int i = 0; i < requesters.length; i++) {
            requesters[i] = board.function(i).address().requesterId();
        }
        bareRoot = layBareTable();
        local.fill((byte) 1);
        if (vtd.write(base, 0, local, 0, SMALL) != SMALL
                || amd.write(LARGE_PAGE, 0, local, 0, LARGE) != LARGE
                || ram.get(JAVA_LONG, block + SMALL) != 0x0101_0101_0101_0101L) {
            throw new IllegalStateException("the IOMMU does not translate");
        }
    }

    private long layBareTable() {
        long free = board.block();
        long root = free;
        for (int page = 0; page < PAGES; page++) {
            long iova = base + (long) page * SMALL;
            long table = root;
            for (int shift = 39; shift > 12; shift -= 9) {
                long slot = table + (iova >>> shift & 511) * 8;
                if (ram.get(JAVA_LONG, slot) == 0) {
                    free += SMALL;
                    ram.set(JAVA_LONG, slot, free | 3);
                }
                table = ram.get(JAVA_LONG, slot) & ADDRESS;
            }
            ram.set(JAVA_LONG, table + (iova >>> 12 & 511) * 8, block | 3);
        }
        return root;
    }

    /** Ends the machine. */
    @TearDown
    public void close() {
        board.close();
    }

    /** The yardstick: the bytes of a page. */
    @Benchmark
    public void bareCopy4K() {
        MemorySegment.copy(local, 0, ram, block + SMALL, SMALL);
    }

    /** The yardstick: the bytes of sixteen pages. */
    @Benchmark
    public void bareCopy64K() {
        MemorySegment.copy(local, 0, ram, block, LARGE);
    }

    /** A device writes a page. */
    @Benchmark
    @Budget(
            name = "dma.iommu.4K.write.vtd",
            against = "bareCopy4K",
            atMostRatio = 1.25,
            maxBytesPerOp = 0)
    public long write4KVtd() {
        return vtd.write(base, 0, local, 0, SMALL);
    }

    /** A device reads a page. */
    @Benchmark
    @Budget(
            name = "dma.iommu.4K.read.vtd",
            against = "bareCopy4K",
            atMostRatio = 1.25,
            maxBytesPerOp = 0)
    public long read4KVtd() {
        return vtd.read(base, 0, local, 0, SMALL);
    }

    /** A device writes a page. */
    @Benchmark
    @Budget(
            name = "dma.iommu.4K.write.amd",
            against = "bareCopy4K",
            atMostRatio = 1.25,
            maxBytesPerOp = 0)
    public long write4KAmd() {
        return amd.write(base, 0, local, 0, SMALL);
    }

    /** A device reads a page. */
    @Benchmark
    @Budget(
            name = "dma.iommu.4K.read.amd",
            against = "bareCopy4K",
            atMostRatio = 1.25,
            maxBytesPerOp = 0)
    public long read4KAmd() {
        return amd.read(base, 0, local, 0, SMALL);
    }

    /** A device writes sixteen pages inside one leaf. */
    @Benchmark
    @Budget(
            name = "dma.iommu.64K.write.vtd",
            against = "bareCopy64K",
            atMostRatio = 1.05,
            maxBytesPerOp = 0)
    public long write64KVtd() {
        return vtd.write(LARGE_PAGE, 0, local, 0, LARGE);
    }

    /** A device reads sixteen pages inside one leaf. */
    @Benchmark
    @Budget(
            name = "dma.iommu.64K.read.amd",
            against = "bareCopy64K",
            atMostRatio = 1.05,
            maxBytesPerOp = 0)
    public long read64KAmd() {
        return amd.read(LARGE_PAGE, 0, local, 0, LARGE);
    }

    /** {@return the answer of a translation that the IOTLB has} */
    @Benchmark
    @Budget(name = "iommu.translate.hit", atMostNanos = 10, maxBytesPerOp = 0)
    public long hit() {
        iommu.translate(requesters[VTD], 0, base, true, target);
        return target.physical;
    }

    /** The yardstick: four dependent loads. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public long bareWalk() {
        long sum = 0;
        for (int i = 0; i < PAGES; i++) {
            long iova = base + (long) (i * STEP & PAGES - 1) * SMALL;
            long table = bareRoot;
            for (int shift = 39; shift > 12; shift -= 9) {
                table = ram.get(JAVA_LONG, table + (iova >>> shift & 511) * 8) & ADDRESS;
            }
            sum += ram.get(JAVA_LONG, table + (iova >>> 12 & 511) * 8);
        }
        return sum;
    }

    /** Translations by a VT-d table that the IOTLB has not. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Budget(
            name = "iommu.translate.miss.vtd",
            against = "bareWalk",
            atMostRatio = 4,
            maxBytesPerOp = 0)
    public long missVtd() {
        return misses(requesters[VTD]);
    }

    /** Translations by an AMDv1 table that the IOTLB has not. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    @Budget(
            name = "iommu.translate.miss.amd",
            against = "bareWalk",
            atMostRatio = 4,
            maxBytesPerOp = 0)
    public long missAmd() {
        return misses(requesters[AMD]);
    }

    private long misses(int requester) {
        long sum = 0;
        for (int i = 0; i < PAGES; i++) {
            long iova = base + (long) (i * STEP & PAGES - 1) * SMALL;
            sum += iommu.translate(requester, 0, iova, false, target);
            sum += target.physical;
        }
        return sum;
    }
}
