package org.peerlane.tests.fabric;

import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exporter.systemheap.SystemHeap;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Memory of the system heap, against its end")
class HeapRaceTest {
    private static final int WRITES = 4;
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final int OURS = 0x5A;

    /** The heap's bundle leaves, and its memory is somebody else's. */
    @Explore(schedules = 10_000)
    @Rule("HP-20")
    @Rule("RK-3")
    void onceTheHeapHasLeftNoStoreReachesWhatItHasFreed(Execution execution) {
        try (Rig rig = new Rig(execution, Rig.SWITCH, false);
                ProcessSpaces spaces = new ProcessSpaces(execution, rig.memory);
                AddressSpace process = spaces.create("user")) {
            DmaBufCore core = new DmaBufCore(execution, rig.tracer, Profile.DEFAULT, spaces, true);
            OwnerDmaBufs owner = new OwnerDmaBufs("heap", core);
            SystemHeap heap = new SystemHeap(owner, rig.memory, false);
            DmaBuf buffer = heap.allocate(new DmaHeap.Allocation(4096, 0, 2, 0));
            CpuMapping mapping = buffer.mmap(process, 0, 4096, RW, AddressSpace.MAP_SHARED, 0);
            long page = process.entry(mapping.first()) & 0x000f_ffff_ffff_f000L;
            EmulatedThread cpu =
                    rig.thread(
                            "cpu",
                            () -> {
                                try {
                                    for (int i = 0; i < WRITES; i++) {
                                        process.store(mapping.first(), 8, -1);
                                    }
                                } catch (BusError e) {
                                    // the heap has left
                                }
                            });
            owner.close();
            rig.fill(page, OURS); // whoever has got it
            Rig.join(cpu);
            rig.expect(page, OURS, "a store after the memory was freed");
            buffer.put();
            core.close();
        }
    }
}
