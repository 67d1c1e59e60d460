package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.expect;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("Fences to and from processes")
class SyncFileTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("sync"));
    private final Buffer buffer = machine.export(new TestExporter());

    @Test
    @Rule("DB-62")
    @Rule("dma-buf:T-5")
    void anExportIsASnapshot() {
        Fence read = machine.fence(buffer, FenceUsage.READ);
        SyncFile reader = buffer.exportSyncFile(1);
        SyncFile writer = buffer.exportSyncFile(3);
        assertThat(reader.status()).isEqualTo(1);
        assertThat(writer.status()).isZero();
        machine.fence(buffer, FenceUsage.WRITE);
        assertThat(reader.status()).isEqualTo(1);
        read.signal();
        assertThat(writer.status()).isEqualTo(1);
        assertThat(buffer.exportSyncFile(1).status()).isZero();
    }

    @Test
    @Rule("DB-62")
    @Rule("DB-66")
    void aWriterWaitsForAllThreeClassesAndNobodyForBookkeep() {
        Fence bookkeep = machine.fence(buffer, FenceUsage.BOOKKEEP);
        assertThat(buffer.exportSyncFile(2).status()).isEqualTo(1);
        List<Fence> fences =
                List.of(
                        machine.fence(buffer, FenceUsage.KERNEL),
                        machine.fence(buffer, FenceUsage.WRITE),
                        machine.fence(buffer, FenceUsage.READ));
        SyncFile writer = buffer.exportSyncFile(2);
        SyncFile reader = buffer.exportSyncFile(1);
        assertThat(writer.info()).hasSize(3);
        assertThat(reader.info()).hasSize(2);
        fences.get(0).signal();
        fences.get(1).signal();
        assertThat(reader.status()).isEqualTo(1);
        assertThat(writer.status()).isZero();
        fences.get(2).signal();
        assertThat(writer.status()).isEqualTo(1);
        bookkeep.signal();
    }

    @Test
    @Rule("DB-63")
    void containersAreFlattenedToWhatIsUnsignaled() {
        Fences fences = machine.heap.fences();
        Fence one = machine.fence();
        Fence two = machine.fence();
        Fence done = machine.fence();
        done.signal();
        SyncFile file = machine.heap.syncFile(fences.merge(List.of(one, two, done)));
        buffer.importSyncFile(1, file);
        assertThat(machine.core.buffer(buffer.id()).fences())
                .extracting(f -> f.usage() + " " + f.context())
                .containsExactlyInAnyOrder("READ " + one.context(), "READ " + two.context());
        Buffer other = machine.export(new TestExporter());
        other.importSyncFile(3, file);
        assertThat(other.poll(1)).isZero();
        one.signal();
        two.signal();
        assertThat(other.poll(1)).isEqualTo(1);
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("DB-63")
    void onlySyncFilesAreImportedAndFlagsAreChecked() {
        SyncFile file = machine.heap.syncFile(machine.fence());
        expect(Errno.EINVAL, () -> buffer.importSyncFile(1, buffer));
        expect(Errno.EINVAL, () -> buffer.importSyncFile(1, null));
        expect(Errno.EINVAL, () -> buffer.importSyncFile(0, file));
        expect(Errno.EINVAL, () -> buffer.importSyncFile(4, file));
        expect(Errno.EINVAL, () -> buffer.exportSyncFile(0));
        expect(Errno.EINVAL, () -> buffer.exportSyncFile(5));
        assertThat(machine.core.buffer(buffer.id()).fences()).isEmpty();
    }

    @Test
    @Rule("DB-63")
    void withoutMemoryNothingIsImported() throws Exception {
        SyncFile file = machine.heap.syncFile(machine.fence());
        try (var _ =
                machine.execution
                        .checkpoints()
                        .arm(
                                "dmabuf.resv.reserve",
                                () -> {
                                    throw new ErrnoException(Errno.ENOMEM, "injected");
                                })) {
            expect(Errno.ENOMEM, () -> buffer.importSyncFile(1, file));
        }
        assertThat(buffer.reservation().isLocked()).isFalse();
        assertThat(machine.core.buffer(buffer.id()).fences()).isEmpty();
        buffer.importSyncFile(1, file);
        assertThat(machine.core.buffer(buffer.id()).fences()).hasSize(1);
    }
}
