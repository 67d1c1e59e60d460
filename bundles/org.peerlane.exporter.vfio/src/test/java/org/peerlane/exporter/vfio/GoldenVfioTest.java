package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.GoldenRow;
import org.peerlane.testkit.GoldenRow.Answer;
import org.peerlane.testkit.Rule;
import org.peerlane.vfio.api.DeviceInfo;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.DmaBufRequest.Range;
import org.peerlane.vfio.api.RegionInfo;
import org.peerlane.vfio.api.VfioFile;

/**
 * What a real kernel answered ({@code docs/reference/golden/vfio_*.tsv}), row by row, on functions
 * with the same BARs. Rows of iommufd are stood in for by an importer that asks for physical
 * ranges, where it depends on the exporter what they answer.
 */
@DisplayName("Golden tables vfio_*")
class GoldenVfioTest {
    private static final List<String> DEVICES =
            List.of("vfio_edu", "vfio_ivshmem", "vfio_ivshmem_amd", "vfio_nvme", "vfio_igb");
    private static final Pattern INDEX = Pattern.compile("(?:index|region)=(\\d+)");
    private static final Pattern RANGE = Pattern.compile("range=\\(0x([0-9a-f]+),0x([0-9a-f]+)\\)");
    private static final Pattern PAGES = Pattern.compile("\\((\\d+),(\\d+) page\\)");

    static List<GoldenRow> rows() throws IOException {
        List<GoldenRow> rows = new ArrayList<>();
        for (String device : DEVICES) {
            rows.addAll(GoldenRow.of(device));
        }
        assertThat(rows).hasSize(490);
        return rows;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    @Rule("RK-10")
    @Rule("RK-11")
    @Rule("RK-12")
    @Rule("RK-14")
    @Rule("VF-21")
    @Rule("VF-25")
    @Rule("VF-34")
    @Rule("VF-50")
    void theDriverAnswersAsTheKernelDid(GoldenRow row) throws Exception {
        Assumptions.assumeFalse(
                row.name().contains(".get_argsz."), "sizes of structures are the front end's");
        Assumptions.assumeFalse(isOfIommufd(row), "that is iommufd's own");
        try (Scenario scenario = new Scenario(row.table())) {
            for (GoldenRow earlier : rows()) {
                if (earlier.isOfScenarioOf(row)) {
                    if (isOfIommufd(earlier) || earlier.name().contains(".get_argsz.")) {
                        continue;
                    }
                    Answer answer = scenario.run(earlier);
                    if (earlier.equals(row)) {
                        assertThat(answer).isEqualTo(expected(row));
                        return;
                    }
                }
            }
        }
        throw new AssertionError(row + " is not in the table");
    }

    /** The last column of some rows is a remark, not an answer. */
    private static Answer expected(GoldenRow row) {
        boolean answers = row.note().startsWith("size=") || row.note().startsWith("flags=");
        return new Answer(row.result(), answers ? row.note() : "");
    }

    private static boolean isOfIommufd(GoldenRow row) {
        return switch (row.call()) {
            case "IOMMU_IOAS_MAP_FILE" ->
                    !row.result().equals("0")
                            && !row.result().equals("-ENODEV")
                            && !row.result().equals("-EOPNOTSUPP");
            case "IOMMU_IOAS_UNMAP",
                    "IOMMU_IOAS_COPY",
                    "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
                    "VFIO_DEVICE_DETACH_IOMMUFD_PT",
                    "fcntl" ->
                    true;
            case "close" -> row.arguments().startsWith("iommufd");
            default -> false;
        };
    }

    private static FunctionLayout layout(String device) {
        return switch (device) {
            case "vfio_edu" ->
                    FunctionLayout.of(0x1234, 0x11E8, 0x00FF00)
                            .interruptPin(1)
                            .bar(BarLayout.registers(0, 0x10_0000, false, false))
                            .with(new CapabilityLayout.Msi(1, true, false))
                            .build();
            case "vfio_ivshmem", "vfio_ivshmem_amd" ->
                    FunctionLayout.of(0x1AF4, 0x1110, 0x050000)
                            .interruptPin(1)
                            .bar(BarLayout.registers(0, 0x100, false, false))
                            .bar(BarLayout.registers(2, 0x100_0000, true, true))
                            .build();
            case "vfio_nvme" ->
                    FunctionLayout.of(0x1B36, 0x0010, 0x010802)
                            .interruptPin(1)
                            .bar(BarLayout.registers(0, 0x4000, true, false))
                            .with(CapabilityLayout.PowerManagement.plain())
                            .with(new CapabilityLayout.MsiX(65, 0, 0x2000, 0, 0x3000))
                            .with(CapabilityLayout.Express.plain())
                            .build();
            default ->
                    FunctionLayout.of(0x8086, 0x10C9, 0x020000)
                            .interruptPin(1)
                            .bar(BarLayout.registers(0, 0x2_0000, false, false))
                            .bar(BarLayout.registers(1, 0x2_0000, false, false))
                            .bar(BarLayout.io(2, 0x20))
                            .bar(BarLayout.registers(3, 0x4000, false, false))
                            .with(CapabilityLayout.PowerManagement.plain())
                            .with(new CapabilityLayout.MsiX(10, 3, 0, 3, 0x2000))
                            .with(CapabilityLayout.Express.plain())
                            .build();
        };
    }

    /** A function, open, and the buffers of its rows. */
    private static final class Scenario implements AutoCloseable {
        private final Passthrough machine = new Passthrough();
        private final DmaBufs importer = machine.owner("iommufd");
        private final PcieFunction function;
        private final int bar;
        private final List<DmaBuf> made = new ArrayList<>();
        private @Nullable VfioFile file;

        Scenario(String device) {
            function = machine.plug("dut", "sw0.0", 0, layout(device));
            bar = device.startsWith("vfio_ivshmem") ? 2 : 0;
            file = machine.open("dut");
        }

        private VfioFile file() {
            if (file == null) {
                file = machine.open("dut"); // the recorder had opened it anew
            }
            return file;
        }

        Answer run(GoldenRow row) {
            try {
                return switch (row.call()) {
                    case "VFIO_DEVICE_GET_REGION_INFO" -> region(index(row));
                    case "VFIO_DEVICE_GET_INFO" -> info();
                    case "VFIO_DEVICE_FEATURE GET DMA_BUF" -> export(row);
                    case "IOMMU_IOAS_MAP_FILE" -> handOver(buffer(row));
                    case "config write" -> configWrite(row.arguments());
                    case "config read" -> sizing();
                    case "VFIO_DEVICE_RESET" -> {
                        file().reset();
                        yield new Answer("0", "");
                    }
                    case "close" -> close(row.arguments());
                    case "unbind" -> unbind();
                    case "bind" -> {
                        machine.bind(function);
                        yield new Answer("0", "");
                    }
                    default -> throw new AssertionError(row.call());
                };
            } catch (ErrnoException e) {
                return new Answer("-" + e.errno(), "");
            }
        }

        private static int index(GoldenRow row) {
            Matcher matcher = INDEX.matcher(row.arguments());
            assertThat(matcher.find()).as(row.arguments()).isTrue();
            return Integer.parseUnsignedInt(matcher.group(1));
        }

        private Answer region(int index) {
            RegionInfo info = file().regionInfo(index);
            return new Answer(
                    "0",
                    "size=0x%x flags=0x%x offset=0x%x"
                            .formatted(info.size(), info.flags(), info.offset()));
        }

        private Answer info() {
            DeviceInfo info = file().info();
            return new Answer(
                    "0",
                    "flags=0x%x num_regions=%d num_irqs=%d"
                            .formatted(info.flags(), info.regions(), info.irqs()));
        }

        private Answer export(GoldenRow row) {
            List<Range> ranges = new ArrayList<>();
            int region = bar;
            int open = 0x80000;
            Matcher range = RANGE.matcher(row.arguments());
            if (range.find()) {
                region = index(row);
                open |= 2;
                ranges.add(
                        new Range(
                                Long.parseLong(range.group(1), 16),
                                Long.parseLong(range.group(2), 16)));
            } else if (row.arguments().startsWith("the same page twice")) {
                ranges.addAll(List.of(new Range(0, 4096), new Range(0, 4096)));
            } else if (row.arguments().startsWith("second range outside")) {
                ranges.addAll(List.of(new Range(0, 4096), new Range(1L << 40, 4096)));
            } else {
                Matcher pages = PAGES.matcher(row.arguments());
                while (pages.find()) {
                    ranges.add(
                            new Range(
                                    Long.parseLong(pages.group(1)) << 12,
                                    Long.parseLong(pages.group(2)) << 12));
                }
            }
            int fd = file().dmaBuf(new DmaBufRequest(region, open, 0, ranges), machine.files);
            DmaBuf buffer = machine.owner("vmm").get(machine.files, fd);
            made.add(buffer);
            return new Answer(
                    "fd",
                    "size=0x%x accmode=%d cloexec=1".formatted(buffer.size(), buffer.flags() & 3));
        }

        /** The row says which one it is of: the first, or the latest. */
        private DmaBuf buffer(GoldenRow row) {
            if (made.isEmpty()) { // the recorder had one of the whole BAR
                made.add(file().dmaBuf(DmaBufRequest.of(bar, 0, file().regionInfo(bar).size())));
            }
            boolean first =
                    row.arguments().startsWith("first dmabuf")
                            || row.arguments().startsWith("memory disabled");
            return first ? made.getFirst() : made.getLast();
        }

        private Answer handOver(DmaBuf buffer) {
            Attachment attachment =
                    importer.dynamicAttach(
                            buffer,
                            new ImporterDevice("iommufd", null, null),
                            new AttachOperations(true, _ -> {}),
                            null);
            try {
                buffer.reservation()
                        .whileHeld(_ -> attachment.unmapPhysical(attachment.mapPhysical()));
                return new Answer("0", "");
            } finally {
                importer.detach(buffer, attachment);
            }
        }

        private Answer configWrite(String what) {
            long command = Passthrough.config(file(), Passthrough.COMMAND, 2);
            long value =
                    switch (what) {
                        case "PCI_COMMAND clear MEMORY while mapped" -> command & ~2;
                        case "PCI_COMMAND set BUS_MASTER" -> command | 4;
                        default -> command | 2;
                    };
            Passthrough.config(file(), Passthrough.COMMAND, 2, value);
            return new Answer("2", "");
        }

        private Answer sizing() {
            int at = 0x10 + 4 * bar;
            Passthrough.config(file(), at, 4, 0xFFFF_FFFFL);
            long read = Passthrough.config(file(), at, 4);
            return new Answer("0x%x".formatted(read & ~0xFL), "");
        }

        private Answer close(String what) {
            if (what.equals("device")) {
                file().put();
                file = null;
            }
            return new Answer("0", "");
        }

        private Answer unbind() {
            file().put();
            file = null;
            machine.root.unbindDriver(function);
            return new Answer("done, exit 0", "");
        }

        @Override
        public void close() {
            made.forEach(DmaBuf::put);
            if (file != null) {
                file.put();
            }
            machine.close();
        }
    }
}
