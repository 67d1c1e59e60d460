package org.peerlane.shell.dmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.BufferInfo.AttachmentInfo;
import org.peerlane.dmabuf.api.BufferInfo.FenceInfo;
import org.peerlane.dmabuf.api.BufferInfo.MappingInfo;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.DmaBufDebug;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.QuarantineInfo;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

@DisplayName("dmabuf:")
class DmaBufCommandTest {
    private static final Path GUIDE = Path.of("../../docs/guide/shell.md");

    /** A core with what a test gives it. */
    private static final class Core implements DmaBufDebug {
        final List<BufferInfo> buffers = new ArrayList<>();
        final List<Violation> violations = new ArrayList<>();
        final List<DepartureReport> departures = new ArrayList<>();
        final List<QuarantineInfo> quarantined = new ArrayList<>();
        final List<String> lifted = new ArrayList<>();
        long count;

        @Override
        public List<BufferInfo> buffers() {
            return buffers;
        }

        @Override
        public BufferInfo buffer(long id) {
            return buffers.stream()
                    .filter(buffer -> buffer.id() == id)
                    .findFirst()
                    .orElseThrow(
                            () -> new ErrnoException(Errno.ENOENT, "there is no buffer " + id));
        }

        @Override
        public List<String> why(long id) {
            return List.of("because of " + buffer(id).name(), "and so on");
        }

        @Override
        public List<DepartureReport> departures() {
            return departures;
        }

        @Override
        public List<QuarantineInfo> quarantined() {
            return quarantined;
        }

        @Override
        public void liftQuarantine(String slot) {
            lifted.add(slot);
        }

        @Override
        public List<Violation> violations() {
            return violations;
        }

        @Override
        public long violationCount() {
            return count;
        }
    }

    private final Core core = new Core();
    private final DmaBufCommand command = new DmaBufCommand();

    DmaBufCommandTest() {
        command.debug = core;
    }

    private static BufferInfo frame() {
        return new BufferInfo(
                3,
                "frame",
                "gpu0-vram",
                "org.peerlane.exporter.gpu",
                0x80_0000,
                2,
                3,
                RevokeState.REVOKING,
                0,
                0,
                1,
                2,
                12_345_000_000L,
                "reset",
                List.of("io-1"),
                List.of(
                        new FenceInfo(
                                FenceUsage.KERNEL,
                                "gpu0",
                                "copy",
                                7,
                                41,
                                "org.peerlane.exporter.gpu",
                                1_500_000L)),
                List.of(
                        new AttachmentInfo(
                                5,
                                "nvme0",
                                "org.peerlane.importer.nvme",
                                "dynamic",
                                true,
                                "SGT",
                                0,
                                List.of(
                                        new MappingInfo(
                                                9,
                                                1,
                                                MappingState.STALE_BUSY,
                                                DmaDirection.TO_DEVICE,
                                                4,
                                                2_000_000_000L)))));
    }

    private static BufferInfo plain() {
        return new BufferInfo(
                1,
                "",
                "system",
                "org.peerlane.exporter.systemheap",
                0x1000,
                2,
                1,
                RevokeState.OK,
                0,
                0,
                0,
                0,
                60_000_000_000L,
                null,
                List.of(),
                List.of(),
                List.of());
    }

    private static void expect(Errno errno, String text, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .withMessageContaining(text)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }

    /** The guide shows what is written. */
    private static void expectInGuide(String text) throws IOException {
        assertThat(Files.readString(GUIDE)).contains("\n" + text + "\n");
    }

    @Test
    void buffersAreListedAsTheGuideShows() throws IOException {
        assertThat(command.ls()).isEqualTo("no buffers");
        core.buffers.addAll(List.of(plain(), frame()));
        assertThat(command.ls().lines().skip(1))
                .satisfiesExactly(
                        line ->
                                assertThat(line.split(" +"))
                                        .containsExactly(
                                                "1",
                                                "system",
                                                "0x1000",
                                                "1",
                                                "0",
                                                "0",
                                                "0",
                                                "0",
                                                "ok",
                                                "60.000",
                                                "s",
                                                "org.peerlane.exporter.systemheap"),
                        line ->
                                assertThat(line.split(" +"))
                                        .containsExactly(
                                                "3",
                                                "gpu0-vram",
                                                "0x800000",
                                                "3",
                                                "1",
                                                "1",
                                                "0",
                                                "1",
                                                "revoking",
                                                "12.345",
                                                "s",
                                                "org.peerlane.exporter.gpu",
                                                "frame"));
        expectInGuide(command.ls());
    }

    @Test
    void aBufferShowsWhoHasIt() throws IOException {
        core.buffers.add(frame());
        assertThat(command.show("3"))
                .contains(
                        "'frame'",
                        "held by thread reset",
                        "waited for by thread io-1",
                        "KERNEL 7:41 gpu0 copy of org.peerlane.exporter.gpu",
                        "5 nvme0 of org.peerlane.importer.nvme, dynamic",
                        "9 generation 1, stale busy, to device, 4 segments");
        expectInGuide(command.show("3"));
        core.buffers.add(plain());
        assertThat(command.show("0x1")).contains("free").doesNotContain("attachment");
    }

    @Test
    void whyIsTheCoresAnswer() {
        core.buffers.add(frame());
        assertThat(command.why("3")).isEqualTo("because of frame\nand so on");
    }

    @Test
    void aNumberThatIsNoneAndOneThatNobodyHasAreRefused() {
        expect(Errno.ENOENT, "no buffer 7", () -> command.show("7"));
        expect(Errno.EINVAL, "frame", () -> command.show("frame"));
        expect(Errno.EINVAL, "-1", () -> command.why("-1"));
        expect(Errno.EINVAL, "1001", () -> command.violations("1001"));
    }

    @Test
    void withoutTheCoreEachSaysSo() {
        command.debug = null;
        for (ThrowingCallable call :
                List.<ThrowingCallable>of(
                        command::ls,
                        command::violations,
                        command::departures,
                        command::quarantine,
                        () -> command.show("1"),
                        () -> command.lift("nvme0"))) {
            expect(Errno.ENODEV, "org.peerlane.dmabuf.core", call);
        }
    }

    @Test
    void theLatestViolationsComeLast() {
        assertThat(command.violations()).isEqualTo("no violations");
        for (int i = 1; i <= 3; i++) {
            core.violations.add(
                    new Violation(
                            "CK-" + i,
                            Violation.Severity.FATAL,
                            "nvme",
                            1,
                            1,
                            1,
                            "io",
                            "did " + i));
        }
        core.count = 1003;
        assertThat(command.violations("2").lines())
                .containsExactly(
                        "1001 before these:",
                        "CK-2   fatal nvme [io]: did 2",
                        "CK-3   fatal nvme [io]: did 3");
    }

    @Test
    void departuresSayWhatWasDoneAndWhatWasNot() {
        assertThat(command.departures()).isEqualTo("nobody has left with anything in use");
        core.departures.add(
                new DepartureReport(
                        "gpu",
                        2_000_000_000L,
                        4,
                        3,
                        2,
                        1,
                        List.of("nvme0"),
                        List.of("ending x#1")));
        assertThat(command.departures().lines())
                .containsExactly(
                        "gpu: 4 buffers revoked, 3 attachments and 2 mappings taken back, 1 fences ended, in 2.000 s",
                        "  in quarantine: nvme0",
                        "  not ended in time: ending x#1");
    }

    @Test
    void aDeviceInQuarantineIsListedAndLetGo() {
        assertThat(command.quarantine()).isEqualTo("no device is in quarantine");
        core.quarantined.add(new QuarantineInfo("nvme0", "nvme", "it is late", true, 1_000_000L));
        assertThat(command.quarantine())
                .isEqualTo("nvme0 of nvme, blocked by the IOMMU, for 0.001 s: it is late");
        assertThat(command.lift("nvme0")).startsWith("nvme0 may use memory again");
        assertThat(core.lifted).containsExactly("nvme0");
    }
}
