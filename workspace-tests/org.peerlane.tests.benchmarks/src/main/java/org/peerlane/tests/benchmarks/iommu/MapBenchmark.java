package org.peerlane.tests.benchmarks.iommu;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.FlushGather;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.tests.benchmarks.machine.Board;

/**
 * What it costs to change a page table. One page is 4 KiB and has a leaf of its own: physical and
 * IO addresses are not aligned to each other.
 */
public class MapBenchmark {
    private static final long PAGE = 4096;
    private static final int RW = IommuDomain.READ | IommuDomain.WRITE;
    private static final long IOVA = 1L << 41;
    private static final long PHYSICAL = 0x1000;

    private static final int PAGES = 256;
    private static final long BYTES = PAGES * PAGE;

    /** Ranges that one invocation maps: it must be long beside the clock's resolution. */
    private static final int RANGES = 8;

    private static final long APART = 1L << 21;

    /** Makes the state. */
    public MapBenchmark() {}

    private static IommuSettings strict() {
        return IommuSettings.of(TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT);
    }

    /** A domain that nobody is attached to: of an unmap, what the page table costs. */
    @State(Scope.Thread)
    public static class Table {
        /** The format. */
        @Param({"VTD_SECOND_STAGE", "AMDV1"})
        TableFormat format;

        private Board board;
        private IommuDomain domain;
        private FlushGather gather;

        /** Makes the state. */
        public Table() {}

        /** Makes the domain, with all table pages that it will need. */
        @Setup
        public void make() {
            board = Board.translated(strict());
            domain = board.iommu().newDomain(DomainSpec.of(format));
            gather = domain.newGather();
            for (int range = 0; range < RANGES; range++) {
                domain.map(IOVA + range * APART + BYTES, PHYSICAL, PAGE, RW);
            }
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            board.close();
        }

        void map() {
            for (int range = 0; range < RANGES; range++) {
                domain.map(IOVA + range * APART, PHYSICAL, BYTES, RW);
            }
        }

        void unmap() {
            for (int range = 0; range < RANGES; range++) {
                domain.unmap(IOVA + range * APART, BYTES, gather);
            }
        }
    }

    /** A table whose ranges are not mapped when an invocation begins. */
    public static class Empty extends Table {
        /** Makes the state. */
        public Empty() {}

        /** Takes out what an invocation has mapped. */
        @TearDown(Level.Invocation)
        public void undo() {
            unmap();
            super.domain.sync(super.gather);
        }
    }

    /** A table whose ranges are mapped when an invocation begins. */
    public static class Full extends Table {
        /** Makes the state. */
        public Full() {}

        /** Maps what an invocation takes out. */
        @Setup(Level.Invocation)
        public void fill() {
            map();
        }

        /** Empties the gather. */
        @TearDown(Level.Invocation)
        public void undo() {
            super.domain.sync(super.gather);
        }
    }

    /** The yardstick: a page a call. */
    @Benchmark
    @OperationsPerInvocation(RANGES)
    public void mapSingly(Empty table) {
        IommuDomain domain = ((Table) table).domain;
        for (int range = 0; range < RANGES; range++) {
            for (long at = 0; at < BYTES; at += PAGE) {
                domain.map(IOVA + range * APART + at, PHYSICAL + at, PAGE, RW);
            }
        }
    }

    /** 256 pages in one call. */
    @Benchmark
    @OperationsPerInvocation(RANGES)
    @Budget(
            name = "iommu.map.256",
            against = "mapSingly",
            atLeastTimesFaster = 4.8,
            atMostNanos = 1000,
            maxBytesPerOp = 0)
    public void mapAtOnce(Empty table) {
        table.map();
    }

    /** The yardstick: a page a call. */
    @Benchmark
    @OperationsPerInvocation(RANGES)
    public void unmapSingly(Full table) {
        Table of = table;
        for (int range = 0; range < RANGES; range++) {
            for (long at = 0; at < BYTES; at += PAGE) {
                of.domain.unmap(IOVA + range * APART + at, PAGE, of.gather);
            }
        }
    }

    /** 256 pages in one call, not flushed yet. */
    @Benchmark
    @OperationsPerInvocation(RANGES)
    @Budget(
            name = "iommu.unmap.256",
            against = "unmapSingly",
            atLeastTimesFaster = 4.8,
            atMostNanos = 1000,
            maxBytesPerOp = 0)
    public void unmapAtOnce(Full table) {
        table.unmap();
    }

    /** A device in a domain, and a number of pages. */
    @State(Scope.Thread)
    public static class Device {
        /** How many pages. */
        @Param({"1", "16", "256", "4096", "65536", "1048576"})
        int pages;

        private Board board;
        private IommuDomain domain;
        private DmaDevice dma;
        private long bytes;

        /** Makes the state. */
        public Device() {}

        /** Builds the machine. */
        @Setup
        public void make() throws InterruptedException {
            bytes = pages * PAGE;
            board = Board.translated(strict()).device().device().device().plug();
            domain = board.iommu().newDomain(board.iommu().defaultSpec());
            board.attach(1, domain);
            dma = board.iommu().device(board.function(0).address());
            dma.mask(48);
        }

        /** Ends the machine. */
        @TearDown
        public void close() {
            board.close();
        }
    }

    /** A driver maps memory and takes it back, with a flush: strict mode. */
    @Benchmark
    @Budget(name = "iommu.dma-api.strict")
    public long dmaApi(Device device) {
        long address =
                device.dma.map(
                        PHYSICAL, device.bytes, DmaDirection.BIDIRECTIONAL, MapAttributes.NONE);
        device.dma.unmap(address, device.bytes);
        return address;
    }

    /** The owner of a domain maps memory and takes it back, with a flush. */
    @Benchmark
    @Budget(name = "iommu.domain")
    public long domain(Device device) {
        device.domain.map(IOVA, PHYSICAL, device.bytes, RW);
        return device.domain.unmap(IOVA, device.bytes);
    }
}
