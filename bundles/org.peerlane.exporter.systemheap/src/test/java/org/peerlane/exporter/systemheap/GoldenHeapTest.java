package org.peerlane.exporter.systemheap;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaHeap.Allocation;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.testkit.GoldenRow;
import org.peerlane.testkit.Rule;

/** What a real kernel answered ({@code docs/reference/golden/heap.tsv}), row by row. */
@DisplayName("Golden table heap")
class GoldenHeapTest {
    private static final int SHARED = AddressSpace.MAP_SHARED;

    /** Rows of calls that a buffer has no method for, and why. */
    private static final Map<String, String> FRONT_END =
            Map.of(
                    "readdir", "names of device files are the front end's",
                    "ioctl", "numbers of calls are the front end's",
                    "fstat", "files are the front end's",
                    "fstat.fields", "files are the front end's",
                    "fdinfo", "files are the front end's",
                    "readlink", "files are the front end's");

    private final HeapMachine machine = new HeapMachine(false);

    @AfterEach
    void close() {
        machine.close();
    }

    static List<GoldenRow> rows() throws IOException {
        List<GoldenRow> rows = GoldenRow.of("heap");
        assertThat(rows).hasSize(49);
        return rows;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    @Rule("HP-2")
    @Rule("HP-18")
    @Rule("DB-54")
    @Rule("DB-60")
    void theHeapAnswersAsTheKernelDid(GoldenRow row) {
        Assumptions.assumeFalse(FRONT_END.containsKey(row.call()), FRONT_END.get(row.call()));
        switch (row.call()) {
            case "DMA_HEAP_IOCTL_ALLOC" -> allocation(row);
            case "mmap" -> mapping(row);
            case "lseek" -> seek(row);
            default -> Assumptions.abort("a buffer has no such method: " + row.call());
        }
    }

    private void allocation(GoldenRow row) {
        Assumptions.assumeFalse(
                row.result().startsWith("killed"),
                "there is no process to be killed: it is ENOMEM, see SystemHeapTest");
        Assumptions.assumeFalse(row.name().startsWith("heap.len64m"), "the machine has 32 MiB");
        String result;
        String note = "";
        try {
            int flags = (int) row.field("fd_flags");
            int fd =
                    machine.heap.allocate(
                            new Allocation(
                                    row.field("len"),
                                    (int) row.field("fd_in"),
                                    flags,
                                    row.field("heap_flags")),
                            machine.files);
            DmaBuf buffer = machine.owner("process").get(machine.files, fd);
            result = "0";
            note =
                    "size=%d accmode=%d cloexec=%d st_size=%d"
                            .formatted(
                                    buffer.size(),
                                    buffer.flags() & 3,
                                    (flags & 0x80000) != 0 ? 1 : 0,
                                    buffer.size());
            buffer.put();
        } catch (ErrnoException e) {
            result = "-" + e.errno();
        }
        assertThat(result).isEqualTo(row.result());
        assertThat(note).isEqualTo(row.note());
    }

    private void mapping(GoldenRow row) {
        boolean shared = row.arguments().contains("SHARED");
        int protection = (int) row.field("prot");
        DmaBuf buffer = machine.heap.allocate(HeapMachine.bytes(3 * HeapMachine.PAGE));
        String result;
        try (AddressSpace process = machine.spaces.create("process")) {
            buffer.mmap(
                    process,
                    0,
                    row.field("len"),
                    protection,
                    shared ? SHARED : AddressSpace.MAP_PRIVATE,
                    row.field("off"));
            result = "0";
        } catch (ErrnoException e) {
            result = "-" + e.errno();
        }
        buffer.put();
        assertThat(result).isEqualTo(row.result());
    }

    private void seek(GoldenRow row) {
        DmaBuf buffer = machine.heap.allocate(HeapMachine.bytes(2 * HeapMachine.PAGE));
        String[] words = row.arguments().split(" ");
        int whence = List.of("SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA").indexOf(words[1]);
        String result;
        try {
            result = Long.toString(buffer.seek(Long.parseLong(words[0]), whence));
        } catch (ErrnoException e) {
            result = "-" + e.errno();
        }
        buffer.put();
        assertThat(result).isEqualTo(row.result());
    }
}
