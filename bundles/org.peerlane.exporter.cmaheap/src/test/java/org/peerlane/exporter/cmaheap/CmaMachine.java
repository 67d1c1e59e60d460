package org.peerlane.exporter.cmaheap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.trace.api.Tracer;

/** A machine of 32 MiB with an area of 8 MiB, 2048 pages; closing it counts pages. */
final class CmaMachine implements AutoCloseable {
    static final long PAGE = 4096;
    static final int MIB = 8;

    final LiveExecution execution = new LiveExecution("cma");
    final SparseMemory memory = new SparseMemory(execution, 32);
    final long free = memory.pages().freePages();
    final ProcessSpaces spaces = new ProcessSpaces(execution, memory);
    final DmaBufCore core =
            new DmaBufCore(
                    execution,
                    new Tracer(execution::nanoTime, execution.lock("trace")),
                    Profile.DEFAULT,
                    spaces,
                    true);
    private final Map<String, OwnerDmaBufs> bundles = new LinkedHashMap<>();
    final CmaArea area;
    final CmaHeap heap;

    /**
     * @param alignmentOrder what blocks are aligned to at most
     */
    CmaMachine(int alignmentOrder) {
        area = new CmaArea(execution, memory, MIB, alignmentOrder);
        heap = new CmaHeap("default_cma_region", bundle("cma"), memory, area);
    }

    DmaBufs bundle(String name) {
        return bundles.computeIfAbsent(name, n -> new OwnerDmaBufs(n, core));
    }

    DmaBufMachine machine() {
        return new DmaBufMachine(execution, this::bundle, core);
    }

    DmaBuf allocate(long pages) {
        return heap.allocate(new DmaHeap.Allocation(pages * PAGE, 0, 2, 0));
    }

    @Override
    public void close() {
        area.put();
        bundles.values().forEach(OwnerDmaBufs::close);
        assertThat(core.violations()).isEmpty();
        core.close();
        spaces.close();
        assertThat(memory.pages().freePages()).as("free pages").isEqualTo(free);
        memory.close();
        execution.close();
    }
}
