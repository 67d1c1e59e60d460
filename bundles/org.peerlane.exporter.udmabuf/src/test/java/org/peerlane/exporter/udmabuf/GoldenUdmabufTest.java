package org.peerlane.exporter.udmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.exporter.udmabuf.UdmabufMachine.PAGE;
import static org.peerlane.exporter.udmabuf.UdmabufMachine.at;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Udmabuf.Item;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Memfd;
import org.peerlane.testkit.Rule;

/** What a real kernel answered ({@code docs/reference/golden/udmabuf.tsv}), row by row. */
@DisplayName("Golden table udmabuf")
class GoldenUdmabufTest {
    private static final Path TABLE = Path.of("../../docs/reference/golden/udmabuf.tsv");
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final byte FILL = 0x5a;
    private static final Pattern NUMBERS =
            Pattern.compile("flags=(\\d) offset=0x(\\w+) size=0x(\\w+)");
    private static final Pattern LENGTH = Pattern.compile("(\\d+) (pages|MiB)");

    private final UdmabufMachine machine = new UdmabufMachine();

    @AfterEach
    void close() {
        machine.close();
    }

    /** One row. */
    record Row(String name, String call, String arguments, String result, String note) {
        static Row of(String line) {
            String[] columns = line.split("\t", -1);
            return new Row(columns[0], columns[1], columns[2], columns[3], columns[4]);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static List<Row> table() throws IOException {
        List<Row> rows;
        try (Stream<String> lines = Files.lines(TABLE)) {
            rows = lines.filter(line -> line.startsWith("udmabuf.")).map(Row::of).toList();
        }
        assertThat(rows).hasSize(25);
        return rows;
    }

    /** All but the open of the device file, which is the front end's. */
    static List<Row> creations() throws IOException {
        return table().stream().filter(row -> row.call().equals("UDMABUF_CREATE")).toList();
    }

    private static String answer(Supplier<String> call) {
        try {
            return call.get();
        } catch (ErrnoException e) {
            return "-" + e.errno();
        }
    }

    /** {@return the memfd of a row's arguments; null: there is none} */
    private Memfd memfd(String arguments) {
        if (arguments.startsWith("fd=-1")) {
            return null;
        }
        // a file of tmpfs has the seals of a memfd that cannot be sealed
        boolean sealable = !arguments.contains("not allowed") && !arguments.startsWith("tmpfs");
        Memfd memfd = machine.spaces.memfd("golden", sealable);
        machine.files.install(memfd);
        Matcher length = LENGTH.matcher(arguments);
        if (length.find()) {
            long unit = length.group(2).equals("MiB") ? 1 << 20 : PAGE;
            memfd.truncate(Long.parseLong(length.group(1)) * unit);
        }
        if (sealable) {
            memfd.addSeals(
                    Memfd.F_SEAL_SHRINK
                            | (arguments.contains("FUTURE_WRITE") ? Memfd.F_SEAL_FUTURE_WRITE : 0));
        }
        if (arguments.contains("filled")) {
            byte[] bytes = new byte[(int) memfd.size()];
            Arrays.fill(bytes, FILL);
            memfd.write(0, MemorySegment.ofArray(bytes));
        }
        return memfd;
    }

    /** {@return the new buffer's descriptor} */
    private int create(Row row, int memfd) {
        Matcher numbers = NUMBERS.matcher(row.arguments());
        assertThat(numbers.find()).isTrue();
        return machine.udmabuf.create(
                machine.files,
                Integer.parseInt(numbers.group(1)),
                new Item(
                        memfd,
                        Long.parseUnsignedLong(numbers.group(2), 16),
                        Long.parseUnsignedLong(numbers.group(3), 16)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("creations")
    @Rule("UB-1")
    void theDeviceAnswersAsTheKernelDid(Row row) {
        int memfd = memfd(row.arguments()) == null ? -1 : machine.last();
        String[] note = {""};
        String result =
                answer(() -> {
                    DmaBuf buffer = machine.take(create(row, memfd));
                    int mode = buffer.flags() & ExportInfo.O_ACCMODE;
                    note[0] = "size=%d accmode=%d".formatted(buffer.size(), mode);
                    buffer.put();
                    return "fd";
                });
        assertThat(result).isEqualTo(row.result());
        assertThat(row.note()).startsWith(note[0]);
    }

    @Test
    @Rule("UB-2")
    @Rule("UB-3")
    void theBufferAndItsMemfdGoTogetherUntilAHoleIsPunched() throws IOException {
        List<Row> rows =
                table().stream().filter(row -> row.name().startsWith("udmabuf.coherent")).toList();
        Memfd memfd = memfd(rows.getFirst().arguments());
        DmaBuf buffer = machine.take(create(rows.getFirst(), machine.last()));
        try (AddressSpace process = machine.spaces.create("user")) {
            int shared = AddressSpace.MAP_SHARED;
            CpuMapping mapping = buffer.mmap(process, 0, 2 * PAGE, RW, shared, 0);
            Map<String, Supplier<String>> calls =
                    Map.ofEntries(
                            call(3, () -> load(process, mapping.first())),
                            call(
                                    4,
                                    () -> {
                                        process.store(mapping.first() + 1, 1, 119);
                                        return "" + at(memfd, 4 * PAGE + 1);
                                    }),
                            done(5, () -> buffer.sync(DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE)),
                            done(6, () -> buffer.mmap(process, 0, 3 * PAGE, RW, shared, 0)),
                            done(
                                    7,
                                    () ->
                                            buffer.mmap(
                                                    process,
                                                    0,
                                                    2 * PAGE,
                                                    AddressSpace.PROT_READ,
                                                    AddressSpace.MAP_PRIVATE,
                                                    0)),
                            done(8, () -> memfd.truncate(8 * PAGE)),
                            done(9, () -> memfd.truncate(32 * PAGE)),
                            done(10, () -> memfd.punchHole(4 * PAGE, PAGE)),
                            call(11, () -> load(process, mapping.first())),
                            call(12, () -> "" + at(memfd, 4 * PAGE)),
                            call(
                                    13,
                                    () -> {
                                        process.store(mapping.first() + 2, 1, 119);
                                        return "" + at(memfd, 4 * PAGE + 2);
                                    }),
                            done(14, () -> memfd.addSeals(Memfd.F_SEAL_WRITE)));
            for (Row row : rows.subList(2, rows.size())) {
                Supplier<String> call = calls.get(row.name());
                assertThat(call).as("a call for %s", row).isNotNull();
                assertThat(answer(call)).as("%s: %s", row, row.arguments()).isEqualTo(row.result());
            }
        }
        buffer.sync(DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE | DmaBuf.SYNC_END);
        buffer.put();
    }

    private static Map.Entry<String, Supplier<String>> call(int number, Supplier<String> call) {
        return Map.entry("udmabuf.coherent." + number, call);
    }

    private static Map.Entry<String, Supplier<String>> done(int number, Runnable call) {
        return call(
                number,
                () -> {
                    call.run();
                    return "0";
                });
    }

    private static String load(AddressSpace process, long address) {
        return Long.toString(process.load(address, 1));
    }
}
