package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.dmabuf.core.TestMachine.expect;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.testkit.Rule;

@DisplayName("Life of a buffer")
class BufferLifeTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("life"));
    private final TestExporter exporter = new TestExporter();
    private final FileTable files = new FileTable("process", 2);

    private ExportInfo info(
            @Nullable DmaBufOperations operations, long size, @Nullable Object data) {
        return new ExportInfo("system", operations, size, ExportInfo.O_RDWR, null, data);
    }

    @Test
    @Rule("DB-1")
    @Rule("DB-2")
    void anExportThatLacksSomethingIsRefusedAndReleasesNothing() {
        expect(Errno.EINVAL, () -> machine.heap.export(info(null, 4096, "data")));
        expect(Errno.EINVAL, () -> machine.heap.export(info(exporter, 4096, null)));
        assertThat(machine.broken()).containsExactly("DB-1", "DB-1");
        expect(Errno.EINVAL, () -> machine.heap.export(info(exporter, 0, "data")));
        expect(Errno.EINVAL, () -> machine.heap.export(info(exporter, -4096, "data")));
        assertThat(exporter.calls).isEmpty();
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Test
    @Rule("DB-2")
    void aBundleThatLeavesExportsNothing() {
        machine.heap.close();
        expect(Errno.ENOENT, () -> machine.export(exporter));
        assertThat(exporter.calls).isEmpty();
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Test
    @Rule("DB-3")
    void ofTheFlagsAccessModeAndNonblockAreLeft() {
        DmaBuf buffer =
                machine.heap.export(
                        new ExportInfo(
                                "system",
                                exporter,
                                4096,
                                ExportInfo.O_RDWR
                                        | ExportInfo.O_NONBLOCK
                                        | ExportInfo.O_CLOEXEC
                                        | 0x40,
                                null,
                                "data"));
        assertThat(buffer.flags()).isEqualTo(ExportInfo.O_RDWR | ExportInfo.O_NONBLOCK);
        assertThat(machine.export(exporter).id()).isGreaterThan(buffer.id());
        assertThat(buffer.size()).isEqualTo(4096);
    }

    @Test
    @Rule("DB-4")
    void aSharedReservationOutlivesItsBuffers() {
        Reservation shared = machine.heap.newReservation("object");
        DmaBuf one = machine.heap.export(new ExportInfo("gpu", exporter, 4096, 2, shared, "one"));
        DmaBuf two = machine.heap.export(new ExportInfo("gpu", exporter, 4096, 2, shared, "two"));
        Fence fence = machine.fence(one, FenceUsage.WRITE);
        assertThat(two.poll(OpenFile.POLLIN)).isZero();
        one.put();
        two.put();
        assertThat(shared.testSignaled(FenceUsage.WRITE)).isFalse();
        fence.signal();
        fence.put();
    }

    @Test
    @Rule("DB-5")
    void aNewBufferHasOneReferenceAndIsListed() {
        Buffer buffer = machine.export(exporter);
        assertThat(buffer.references()).isEqualTo(1);
        assertThat(machine.core.buffers()).extracting(BufferInfo::id).containsExactly(buffer.id());
        assertThat(machine.core.buffer(buffer.id()).references()).isEqualTo(1);
        buffer.put();
        assertThat(machine.core.buffers()).isEmpty();
        expect(Errno.ENOENT, () -> machine.core.buffer(buffer.id()));
    }

    @Test
    @Rule("DB-6")
    @Rule("DB-8")
    @Rule("CK-5")
    void aDescriptorTakesTheReferenceUnlessThereIsNone() {
        Buffer buffer = machine.export(exporter);
        buffer.get();
        buffer.get();
        int fd = machine.heap.fd(files, buffer, ExportInfo.O_CLOEXEC);
        machine.heap.fd(files, buffer, 0);
        expect(Errno.EMFILE, () -> machine.heap.fd(files, buffer, 0));
        expect(Errno.EINVAL, () -> machine.heap.fd(files, null, 0));
        assertThat(buffer.references()).isEqualTo(3);
        machine.heap.put(buffer);
        files.close(fd);
        assertThat(exporter.calls).isEmpty();
        files.closeAll();
        assertThat(exporter.calls).containsExactly("release free");
    }

    @Test
    @Rule("DB-9")
    void aDescriptorLeadsToItsBuffer() {
        Buffer buffer = machine.export(exporter);
        int fd = machine.heap.fd(files, buffer, 0);
        assertThat(machine.nvme.get(files, fd)).isSameAs(buffer);
        assertThat(buffer.references()).isEqualTo(2);
        expect(Errno.EBADF, () -> machine.nvme.get(files, 1));
        int other = files.install(new Other());
        expect(Errno.EINVAL, () -> machine.nvme.get(files, other));
        assertThat(files.get(other).references()).isEqualTo(2);
        machine.nvme.put(null);
        assertThat(machine.broken()).containsExactly("DB-9");
    }

    /** A file that is no buffer. */
    private static final class Other implements OpenFile {
        private int count = 1;

        @Override
        public String fileType() {
            return "null";
        }

        @Override
        public void get() {
            count++;
        }

        @Override
        public boolean getUnlessZero() {
            count++;
            return true;
        }

        @Override
        public void put() {
            count--;
        }

        @Override
        public int references() {
            return count;
        }
    }

    @Test
    @Rule("DB-11")
    @Rule("dma-buf:T-3")
    void theLastHolderEndsItInTheKernelsOrder() {
        List<String> order = new ArrayList<>();
        Buffer buffer = machine.export(exporter);
        int fd = machine.heap.fd(files, buffer, 0);
        DmaBuf held = machine.nvme.get(files, fd);
        BufferAttachment attachment = machine.attach(held);
        Fence fence = machine.fence(buffer, FenceUsage.BOOKKEEP);
        fence.signal();
        files.closeAll();
        assertThat(exporter.calls).containsExactly("attach free");
        machine.execution
                .checkpoints()
                .arm(
                        "dmabuf.release.unlisted",
                        () -> order.add("unlisted " + machine.core.registry().size()));
        exporter.before =
                (name, _) -> {
                    if (name.equals("release")) {
                        order.add(
                                "release: off the list %s, attached %d"
                                        .formatted(
                                                machine.core.buffers().isEmpty(),
                                                buffer.attached().snapshot().size()));
                    }
                };
        machine.execution
                .checkpoints()
                .arm("dmabuf.release.released", () -> order.add("released " + machine.broken()));
        machine.nvme.detach(held, attachment);
        machine.nvme.put(held);
        assertThat(order)
                .containsExactly(
                        "unlisted 0", "release: off the list true, attached 0", "released []");
        assertThat(machine.broken()).isEmpty();
        fence.put();
    }

    @Test
    @Rule("DB-11")
    @Rule("CK-8")
    void anAttachmentThatIsLeftIsReportedAfterTheRelease() {
        Buffer buffer = machine.export(exporter);
        machine.attach(buffer);
        machine.execution
                .checkpoints()
                .arm("dmabuf.release.released", () -> assertThat(machine.broken()).isEmpty());
        buffer.put();
        assertThat(machine.broken()).containsExactly("CK-8");
        assertThat(machine.last().owner()).isEqualTo("nvme");
        assertThat(exporter.names()).containsExactly("attach", "release");
    }

    @Test
    @Rule("DB-11")
    void aReleaseThatThrowsIsReportedAndTheRestIsDone() {
        exporter.before =
                (_, _) -> {
                    throw new IllegalArgumentException("no such page");
                };
        Buffer buffer = machine.export(exporter);
        buffer.put();
        assertThat(machine.broken()).containsExactly("CK-7");
        assertThat(machine.last().sentence()).contains("release").contains("no such page");
        assertThat(machine.last().owner()).isEqualTo("heap");
        assertThat(machine.heap.buffers()).isEmpty();
    }

    @Test
    @Rule("DB-12")
    void whoWalksTheListPassesAnEndingBufferBy() {
        Buffer buffer = machine.export(exporter);
        Buffer other = machine.export(exporter);
        List<String> seen = new ArrayList<>();
        exporter.before = (_, _) -> seen.add("" + machine.core.registry().get(buffer.id()));
        buffer.put();
        assertThat(seen).containsExactly("null");
        assertThat(machine.core.buffers()).extracting(BufferInfo::id).containsExactly(other.id());
        assertThat(machine.heap.buffers()).containsExactly(other);
    }

    @Test
    @Rule("DB-10")
    void onePutTooManyIsAMistakeAndReleasesNothingTwice() {
        Buffer buffer = machine.export(exporter);
        buffer.put();
        assertThatIllegalStateException().isThrownBy(buffer::put);
        assertThat(exporter.calls).containsExactly("release free");
    }

    @Test
    @Rule("DB-60")
    void seekTellsTheSizeAndNothingElse() {
        Buffer buffer = machine.export(exporter);
        assertThat(buffer.seek(0, DmaBuf.SEEK_END)).isEqualTo(TestMachine.SIZE);
        assertThat(buffer.seek(0, DmaBuf.SEEK_SET)).isZero();
        expect(Errno.EINVAL, () -> buffer.seek(1, DmaBuf.SEEK_SET));
        expect(Errno.EINVAL, () -> buffer.seek(-1, DmaBuf.SEEK_END));
        expect(Errno.EINVAL, () -> buffer.seek(0, 1));
    }

    @Test
    @Rule("DB-61")
    void aNameHasAtMost31Bytes() {
        Buffer buffer = machine.export(exporter);
        buffer.setName("a".repeat(31));
        machine.attach(buffer);
        buffer.setName("ü".repeat(15));
        assertThat(buffer.name()).isEqualTo("ü".repeat(15));
        expect(Errno.EINVAL, () -> buffer.setName("ü".repeat(16)));
        expect(Errno.EINVAL, () -> buffer.setName("a".repeat(32)));
        assertThat(machine.core.buffer(buffer.id()).name()).isEqualTo("ü".repeat(15));
    }

    @Test
    @Rule("DB-68")
    void theKernelsTracepointsComeInOrder() {
        machine.listen();
        Buffer buffer = machine.export(exporter);
        buffer.get();
        BufferAttachment still = machine.attach(buffer);
        BufferAttachment dynamic = machine.attach(buffer, _ -> {});
        machine.nvme.detach(buffer, still);
        machine.nvme.detach(buffer, dynamic);
        int fd = machine.heap.fd(files, buffer, 0);
        machine.nvme.get(files, fd);
        machine.nvme.put(buffer);
        assertThat(machine.events)
                .extracting(event -> event.getClass().getSimpleName())
                .containsExactly(
                        "DmaBufExport",
                        "DmaBufGet",
                        "DmaBufAttach",
                        "DmaBufDynamicAttach",
                        "DmaBufDetach",
                        "DmaBufDetach",
                        "DmaBufFd",
                        "DmaBufGet",
                        "DmaBufPut");
        assertThat(machine.events)
                .contains(
                        new DmaBufEvents.DmaBufExport(
                                buffer.id(), "system", "heap", TestMachine.SIZE),
                        new DmaBufEvents.DmaBufFd(buffer.id(), fd));
    }
}
