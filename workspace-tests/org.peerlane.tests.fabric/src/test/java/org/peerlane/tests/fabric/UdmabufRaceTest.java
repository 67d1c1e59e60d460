package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.Udmabuf.Item;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exporter.udmabuf.UdmabufDevice;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.Memfd;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Who writes to a memfd, against the seal that forbids it")
class UdmabufRaceTest {
    private static final long PAGE = 4096;
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;

    /** What one side does to a memfd that the other seals. */
    @FunctionalInterface
    private interface Writer {
        void write(UdmabufDevice udmabuf, FileTable files, Memfd memfd, AddressSpace process);
    }

    /** A device would write to what nobody may write to. */
    @Explore(schedules = 10_000)
    @Rule("CK-67")
    @Rule("UB-2")
    void aMemfdIsExportedOrSealed(Execution execution) {
        race(
                execution,
                Errno.EINVAL,
                (udmabuf, files, memfd, process) -> udmabuf.create(files, 0, new Item(0, 0, PAGE)));
    }

    @Explore(schedules = 10_000)
    @Rule("CK-67")
    void aMemfdIsMappedForStoresOrSealed(Execution execution) {
        race(
                execution,
                Errno.EPERM,
                (udmabuf, files, memfd, process) ->
                        memfd.mmap(process, 0, PAGE, RW, AddressSpace.MAP_SHARED, 0));
    }

    /**
     * One of them comes first, and the other is refused.
     *
     * @param refused what the writer is told if it is he
     */
    private static void race(Execution execution, Errno refused, Writer writer) {
        try (Rig rig = new Rig(execution, List.of(), false);
                ProcessSpaces spaces = new ProcessSpaces(execution, rig.memory);
                AddressSpace process = spaces.create("user")) {
            DmaBufCore core = new DmaBufCore(execution, rig.tracer, Profile.DEFAULT, spaces, true);
            OwnerDmaBufs owner = new OwnerDmaBufs("udmabuf", core);
            UdmabufDevice udmabuf = new UdmabufDevice(owner, rig.memory, 1024, 64);
            FileTable files = new FileTable("user");
            Memfd memfd = spaces.memfd("user", true);
            memfd.truncate(PAGE);
            memfd.addSeals(Memfd.F_SEAL_SHRINK);
            files.install(memfd);
            AtomicInteger done = new AtomicInteger();
            EmulatedThread sealer =
                    rig.thread(
                            "sealer",
                            () ->
                                    count(
                                            done,
                                            Errno.EBUSY,
                                            () -> memfd.addSeals(Memfd.F_SEAL_WRITE)));
            count(done, refused, () -> writer.write(udmabuf, files, memfd, process));
            Rig.join(sealer);
            assertThat(done).as("of the two, how many were let through").hasValue(1);
            files.closeAll();
            owner.close();
            core.close();
        }
    }

    private static void count(AtomicInteger done, Errno refused, Runnable call) {
        try {
            call.run();
            done.incrementAndGet();
        } catch (ErrnoException e) {
            assertThat(e.errno()).as(e.getMessage()).isEqualTo(refused);
        }
    }
}
