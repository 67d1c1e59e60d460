package org.peerlane.tests.benchmarks.dmabuf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.tests.benchmarks.Budget;
import org.peerlane.tests.benchmarks.machine.Board;
import org.peerlane.trace.api.Tracer;

/** DMA to RAM without an IOMMU, with and without the shadow index. */
@State(Scope.Benchmark)
public class ShadowBenchmark {
    private static final int PAGE = 4096;
    private static final int PAGES = 512;

    /** How many mappings the function has; -1: nobody observes. */
    @Param({"-1", "0", "1", "10000"})
    int mappings;

    private final MemorySegment local = Arena.ofAuto().allocate(PAGE, PAGE);
    private final LiveExecution execution = new LiveExecution("benchmark");
    private final Board board = Board.untranslated().device().device().device();
    private final long address = board.block();
    private DmaPort port;
    private int page;

    /** Makes the state. */
    public ShadowBenchmark() {}

    /** An exporter whose n-th mapping has the n-th page. */
    private static final class Pages implements DmaBufOperations {
        private long next;

        Pages(long first) {
            next = first;
        }

        @Override
        public SgTable map(Attachment attachment, DmaDirection direction) {
            long page = next;
            next += PAGE;
            return new SgTable(new long[] {page}, new long[] {PAGE}, this);
        }

        @Override
        public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {}

        @Override
        public void release(DmaBuf ended) {}
    }

    /** Plugs three devices, and maps. */
    @Setup
    public void plug() throws InterruptedException {
        board.plug();
        DmaBufCore core =
                new DmaBufCore(
                        execution,
                        new Tracer(execution::nanoTime, execution.lock("trace")),
                        Profile.DEFAULT,
                        null,
                        true);
        if (mappings >= 0) {
            board.observer(Objects.requireNonNull(core.observer()));
            OwnerDmaBufs owner = new OwnerDmaBufs("benchmark", core);
            DmaBuf buffer = owner.export(new ExportInfo("system", new Pages(address), PAGE, this));
            Attachment attachment =
                    owner.dynamicAttach(
                            buffer,
                            new ImporterDevice("s0", board.function(0), null),
                            new AttachOperations(true, _ -> {}),
                            null);
            for (int i = 0; i < mappings; i++) {
                attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            }
        }
        board.warm(address);
        port = board.port(0);
    }

    /** Ends the machine. */
    @TearDown
    public void close() {
        board.close();
        execution.close();
    }

    /** {@return an address in a mapping, another each time if there are many} */
    private long next() {
        page = page + 1 & PAGES - 1;
        return address + (mappings > 1 ? (long) page * PAGE : 0);
    }

    /** A device writes a cache line. */
    @Benchmark
    @Budget(name = "dmabuf.shadow.write-64", atMostNanos = 100, maxBytesPerOp = 0)
    public long write64() {
        return port.write(next(), 0, local, 0, 64);
    }

    /** A device reads a cache line. */
    @Benchmark
    @Budget(name = "dmabuf.shadow.read-64", atMostNanos = 100, maxBytesPerOp = 0)
    public long read64() {
        return port.read(next(), 0, local, 0, 64);
    }

    /** A device writes a page. */
    @Benchmark
    @Budget(name = "dmabuf.shadow.write-4k", atMostNanos = 200, maxBytesPerOp = 0)
    public long write4K() {
        return port.write(next(), 0, local, 0, PAGE);
    }
}
