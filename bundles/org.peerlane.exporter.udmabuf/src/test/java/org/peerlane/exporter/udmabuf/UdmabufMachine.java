package org.peerlane.exporter.udmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.Udmabuf.Item;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.Memfd;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.trace.api.Tracer;

/** A process with memfds, and the device; closing it checks that nothing is left of them. */
final class UdmabufMachine implements AutoCloseable {
    static final long PAGE = 4096;

    final LiveExecution execution = new LiveExecution("udmabuf");
    final SparseMemory memory = new SparseMemory(execution, 96);
    final ProcessSpaces spaces = new ProcessSpaces(execution, memory);
    final FileTable files = new FileTable("process");
    final DmaBufCore core;
    final UdmabufDevice udmabuf;
    private final List<OwnerDmaBufs> owners = new ArrayList<>();
    private final OwnerDmaBufs exporter;

    UdmabufMachine() {
        Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        core = new DmaBufCore(execution, tracer, Profile.parse("7.3"), spaces, true);
        exporter = new OwnerDmaBufs("udmabuf", core);
        owners.add(exporter);
        udmabuf = new UdmabufDevice(exporter, memory, 1024, 64);
    }

    DmaBufs owner(String name) {
        OwnerDmaBufs made = new OwnerDmaBufs(name, core);
        owners.add(made);
        return made;
    }

    DmaBufMachine machine() {
        return new DmaBufMachine(execution, this::owner, core);
    }

    /** The bundle leaves. */
    void stop() {
        owners.remove(exporter);
        exporter.close();
    }

    /** {@return a memfd of the process; its reference is the table's} */
    Memfd memfd(long bytes, int seals) {
        Memfd memfd = spaces.memfd("test", true);
        memfd.truncate(bytes);
        memfd.addSeals(seals);
        files.install(memfd);
        return memfd;
    }

    /** {@return the last descriptor that was opened} */
    int last() {
        return files.count() - 1;
    }

    /** {@return the buffer behind a descriptor, which is closed} */
    DmaBuf take(int fd) {
        DmaBuf buffer = (DmaBuf) files.get(fd);
        files.close(fd);
        return buffer;
    }

    DmaBuf create(Item... items) {
        return take(udmabuf.createList(files, 0, List.of(items)));
    }

    static int at(Memfd memfd, long offset) {
        byte[] one = new byte[1];
        assertThat(memfd.read(offset, MemorySegment.ofArray(one))).isOne();
        return one[0];
    }

    static void expect(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }

    @Override
    public void close() {
        files.closeAll();
        assertThat(core.buffers()).isEmpty();
        assertThat(core.violations()).isEmpty();
        owners.forEach(OwnerDmaBufs::close);
        core.close();
        spaces.close();
        assertThat(memory.pages().freePages()).isEqualTo(memory.pages().totalPages());
        memory.close();
        execution.close();
    }
}
