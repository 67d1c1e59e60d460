package org.peerlane.exporter.systemheap;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.pcie.PcieRoot;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.IommuSettings;
import org.peerlane.iommu.core.IommuUnit;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.trace.api.Tracer;

/** A machine of 32 MiB with an IOMMU and a system heap. */
final class HeapMachine implements AutoCloseable {
    static final long PAGE = 4096;
    static final int RDWR = 2;

    final LiveExecution execution = new LiveExecution("heap");
    final SparseMemory memory = new SparseMemory(execution, 32);
    final long free = memory.pages().freePages();
    final Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
    final PcieRoot root = new PcieRoot(execution, tracer, memory, true);
    final IommuUnit iommu =
            new IommuUnit(
                    execution,
                    tracer,
                    memory,
                    root,
                    IommuSettings.of(TableFormat.VTD_SECOND_STAGE, IommuSettings.Mode.STRICT));
    final ProcessSpaces spaces = new ProcessSpaces(execution, memory);
    final DmaBufCore core = new DmaBufCore(execution, tracer, Profile.parse("7.3"), spaces, true);
    final FileTable files = new FileTable("process");
    private final Map<String, OwnerDmaBufs> owners = new HashMap<>();
    final SystemHeap heap;

    HeapMachine(boolean pageByPage) {
        root.translation(iommu);
        core.setBus(root);
        core.setIommu(iommu);
        heap = new SystemHeap(owner("heap"), memory, pageByPage);
    }

    DmaBufs owner(String name) {
        return owners.computeIfAbsent(name, n -> new OwnerDmaBufs(n, core));
    }

    /** The heap's bundle leaves. */
    void stopHeap() {
        OwnerDmaBufs owner = owners.remove("heap");
        if (owner != null) {
            owner.close();
        }
    }

    DmaBufMachine machine() {
        return new DmaBufMachine(execution, this::owner, core);
    }

    static DmaHeap.Allocation bytes(long length) {
        return new DmaHeap.Allocation(length, 0, RDWR, 0);
    }

    /** {@return a device whose addresses go through the IOMMU} */
    ImporterDevice device() {
        return new ImporterDevice("nvme0", null, iommu.device(PcieAddress.parse("00:05.0")));
    }

    List<String> broken() {
        return core.violations().stream().map(v -> v.rule()).toList();
    }

    @Override
    public void close() {
        files.closeAll();
        owners.values().forEach(OwnerDmaBufs::close);
        core.close();
        root.close();
        root.translationGone(iommu);
        iommu.close();
        spaces.close();
        long left = memory.pages().freePages();
        if (left != free) {
            throw new AssertionError((free - left) + " pages are still taken");
        }
        memory.close();
        execution.close();
    }
}
