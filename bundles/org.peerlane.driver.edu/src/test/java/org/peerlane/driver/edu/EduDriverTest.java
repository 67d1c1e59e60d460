package org.peerlane.driver.edu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.felix.service.command.CommandSession;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.driver.edu.FakeEdu.Mishap;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.core.DirectDmaApi;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.testkit.WatchedExecution;

@DisplayName("The edu driver")
class EduDriverTest {
    private static final int PIECE = 4096;
    private static final int MIB = 1 << 20;

    @TempDir Path folder;

    private final WatchedExecution execution = new WatchedExecution(new LiveExecution("test"));
    private final SparseMemory memory = new SparseMemory(execution, 512);
    private final PageAllocator pages = memory.pages();
    private final FakeEdu edu = new FakeEdu(memory, 4);
    private final EduDriver driver = new EduDriver(execution, memory, new DirectDmaApi(memory));

    @AfterEach
    void nothingStays() {
        driver.deactivate();
        assertThat(edu.hasHandler()).isFalse();
        assertThat(edu.isBusMaster() && edu.isPresent()).isFalse();
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
        assertThat(execution.failures()).isEmpty();
        memory.close();
    }

    private Path file(int bytes) throws IOException {
        byte[] data = new byte[bytes];
        new Random(bytes).nextBytes(data);
        return Files.write(folder.resolve("data" + bytes), data);
    }

    private static String sha256(Path file) throws Exception {
        byte[] sum = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        return HexFormat.of().formatHex(sum);
    }

    private void copyFails(Path file, Errno errno, String part) {
        expect(errno, part, () -> driver.copyFile(file.toString()));
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
    }

    private void copyWorks(Path file) throws Exception {
        CopyReport report = driver.copyFile(file.toString());
        assertThat(report.destinationSha256()).isEqualTo(sha256(file));
        report.check();
    }

    private static void expect(Errno errno, String part, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
                .withMessageContaining(part);
    }

    @ParameterizedTest(name = "{0} bytes in {1} pieces")
    @CsvSource({
        "0, 0",
        "1, 1",
        "4095, 1",
        "4096, 1",
        "4097, 2",
        "100000, 25",
        "4194304, 1024",
        "4194305, 1025",
        "9437185, 2305"
    })
    void copiesAFileOfAnySize(int bytes, long pieces) throws Exception {
        driver.probe(edu);
        Path file = file(bytes);
        CopyReport report = driver.copyFile(file.toString());
        assertThat(report.sourceSha256()).isEqualTo(sha256(file));
        assertThat(report.destinationSha256()).isEqualTo(report.sourceSha256());
        assertThat(report.bytes()).isEqualTo(bytes);
        assertThat(report.pieces()).isEqualTo(pieces);
        assertThat(edu.transfers.get()).as("there and back").isEqualTo(2 * pieces);
        assertThat(pages.freePages()).isEqualTo(pages.totalPages());
    }

    @Test
    void matchesEduFunctionsOnly() {
        assertThat(driver.matches(edu)).isTrue();
        driver.probe(edu);
        assertThat(edu.hasHandler()).isTrue();
        assertThat(edu.isBusMaster()).isTrue();
        driver.remove(edu, false);
        assertThat(edu.hasHandler()).isFalse();
        assertThat(edu.isBusMaster()).isFalse();
        driver.remove(edu, false); // once is enough
    }

    @Test
    void saysWhatIsWrongWithTheFile() throws IOException {
        driver.probe(edu);
        Path missing = folder.resolve("missing");
        copyFails(missing, Errno.ENOENT, missing.toString());
        copyFails(folder, Errno.EISDIR, folder.toString());
        copyFails(Path.of("/dev/null"), Errno.EINVAL, "/dev/null");
        expect(Errno.EINVAL, "no path", () -> driver.copyFile("a\0b"));
        Path secret = folder.resolve("secret");
        assertThat(FileCopy.refusal(secret, new AccessDeniedException("secret")))
                .hasMessage("EACCES: no permission to read " + secret);
        assertThat(FileCopy.refusal(secret, new IOException("bad sector")).errno())
                .isEqualTo(Errno.EIO);
        assertThat(edu.transfers.get()).isZero();
    }

    @Test
    void saysThatThereIsNoDevice() throws IOException {
        copyFails(file(1), Errno.ENODEV, "no edu device");
    }

    @Test
    void takesTheFirstOfSeveralDevices() throws Exception {
        FakeEdu second = new FakeEdu(memory, 5);
        driver.probe(second);
        driver.probe(edu);
        copyWorks(file(1));
        assertThat(edu.transfers.get()).isEqualTo(2);
        assertThat(second.transfers.get()).isZero();
    }

    @Test
    void noticesDataThatCameBackDifferent() throws Exception {
        driver.probe(edu);
        edu.plan(Mishap.CORRUPTION, 4, () -> {});
        CopyReport report = driver.copyFile(file(3 * PIECE).toString());
        assertThat(report.isEqual()).isFalse();
        expect(Errno.EIO, report.destinationSha256(), report::check);
    }

    @Test
    void passesAnErrorOfTheDeviceOn() throws Exception {
        driver.probe(edu);
        edu.plan(Mishap.ERROR, 3, () -> {});
        copyFails(file(3 * PIECE), Errno.EIO, "edu0 reports an error for 4096 bytes");
        copyWorks(file(3 * PIECE));
    }

    @Test
    void waitsFiveSecondsForALostInterruptAndStopsTheDevice() throws Exception {
        driver.probe(edu);
        execution.passPerLook(1_000_000_000);
        edu.plan(Mishap.NO_INTERRUPT, 3, () -> {});
        copyFails(file(3 * PIECE), Errno.ETIMEDOUT, "no interrupt within 5 s");
        assertThat(edu.isBusMaster()).isFalse();
        copyWorks(file(3 * PIECE));
    }

    @Test
    void findsAResetInMidCopyAndRecoversForTheNext() throws Exception {
        driver.probe(edu);
        edu.plan(Mishap.RESET, 3, () -> {});
        copyFails(file(3 * PIECE), Errno.ENODEV, "edu0 at 0000:00:04.0 was removed or reset");
        copyWorks(file(3 * PIECE));
    }

    @Test
    void endsTheCopyOnceWhenTheDeviceIsGone() throws Exception {
        driver.probe(edu);
        List<EmulatedThread> removals = new ArrayList<>();
        edu.plan(
                Mishap.GONE,
                3,
                () ->
                        removals.add(
                                execution.start(
                                        ThreadKind.BLOCKING,
                                        "removal",
                                        () -> driver.remove(edu, true))));
        copyFails(file(3 * PIECE), Errno.ENODEV, "removed or reset");
        assertThat(removals.getFirst().join(TimeUnit.SECONDS.toNanos(10))).isTrue();
        assertThat(edu.hasHandler()).isFalse();
        copyFails(file(1), Errno.ENODEV, "no edu device");
    }

    @Test
    void finishesTheTransferUnderWayWhenTheDeviceIsGivenBack() throws Exception {
        driver.probe(edu);
        CountDownLatch hanging = new CountDownLatch(1);
        edu.plan(Mishap.HANG, 3, hanging::countDown);
        Path file = file(3 * PIECE);
        EmulatedThread copy =
                execution.start(
                        ThreadKind.BLOCKING,
                        "copy",
                        () ->
                                expect(
                                        Errno.ENODEV,
                                        "removed or reset",
                                        () -> driver.copyFile(file.toString())));
        assertThat(hanging.await(10, TimeUnit.SECONDS)).isTrue();
        EmulatedThread removal =
                execution.start(ThreadKind.BLOCKING, "removal", () -> driver.remove(edu, false));
        assertThat(removal.join(TimeUnit.MILLISECONDS.toNanos(50))).isFalse();
        assertThat(edu.isBusMaster()).as("as long as it moves data").isTrue();
        edu.finish();
        assertThat(removal.join(TimeUnit.SECONDS.toNanos(10))).isTrue();
        assertThat(copy.join(TimeUnit.SECONDS.toNanos(10))).isTrue();
        assertThat(edu.transfers.get()).isEqualTo(3);
    }

    @Test
    void anInterruptedUserStopsTheDeviceFirst() throws Exception {
        driver.probe(edu);
        Path file = file(PIECE);
        execution.passPerLook(1_000_000_000);
        edu.plan(Mishap.HANG, 1, () -> Thread.currentThread().interrupt());
        copyFails(file, Errno.EINTR, "interrupted while a transfer was under way");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(edu.isBusMaster()).isFalse();
        copyWorks(file);
    }

    @Test
    void letsOneCopyAtATimeUseADevice() throws Exception {
        driver.probe(edu);
        List<EmulatedThread> copies = new ArrayList<>();
        for (int i = 1; i <= 4; i++) {
            Path file = file(i * MIB + i);
            copies.add(
                    execution.start(
                            ThreadKind.BLOCKING,
                            "copy" + i,
                            () -> driver.copyFile(file.toString()).check()));
        }
        for (EmulatedThread copy : copies) {
            assertThat(copy.join(TimeUnit.SECONDS.toNanos(30))).isTrue();
        }
        assertThat(edu.transfers.get()).isEqualTo(2 * (10 * 256 + 4));
    }

    @Test
    void freesItsPagesWhicheverAllocationFails() throws Exception {
        driver.probe(edu);
        Path file = file(64 << 10);
        for (int nth = 1; nth <= 4; nth++) {
            pages.failNth(nth);
            copyWorks(file); // with a smaller window
            assertThat(pages.freePages()).isEqualTo(pages.totalPages());
        }
        pages.failNth(1);
        copyFails(file(1), Errno.ENOMEM, "injected"); // one page cannot be smaller
    }

    @Test
    void makesDoWithSinglePages() throws Exception {
        driver.probe(edu);
        List<Long> all = new ArrayList<>();
        while (pages.freePages() > 0) {
            all.add(pages.allocate(0));
        }
        pages.free(all.get(10), 0);
        pages.free(all.get(1000), 0);
        copyWorks(file(10 * PIECE));
        for (int i = 0; i < all.size(); i++) {
            if (i != 10 && i != 1000) {
                pages.free(all.get(i), 0);
            }
        }
    }

    @Test
    void refusesMemoryThatTheDeviceDoesNotReach() throws Exception {
        driver.probe(edu);
        List<Long> low = new ArrayList<>();
        long page;
        while ((page = pages.allocate(0)) < 1L << 28) {
            low.add(page);
        }
        pages.free(page, 0);
        expect(
                Errno.ENOMEM,
                "is beyond the DMA mask 0xfffffff",
                () -> driver.copyFile(file(PIECE).toString()));
        low.forEach(p -> pages.free(p, 0));
    }

    @Test
    void resolvesARelativePathAgainstTheUsersFolder() throws IOException {
        System.setProperty(UserPath.CWD, folder.toString());
        try {
            assertThat(UserPath.resolve("a/../b")).isEqualTo(folder.resolve("b"));
            assertThat(UserPath.resolve("/etc/hosts")).isEqualTo(Path.of("/etc/hosts"));
        } finally {
            System.clearProperty(UserPath.CWD);
        }
        assertThat(UserPath.resolve("b")).isEqualTo(Path.of("b").toAbsolutePath());
    }

    @Test
    void printsBothSumsAndFailsIfTheyDiffer() throws Exception {
        driver.probe(edu);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CommandSession session = session(out);
        Path file = file(2 * PIECE + 1);
        driver.list(session);
        driver.copy(session, file.toString());
        assertThat(out.toString(StandardCharsets.UTF_8).lines().toList())
                .hasSize(4)
                .satisfies(lines -> {
                    assertThat(lines.get(0)).isEqualTo("0000:00:04.0  edu0");
                    assertThat(lines.get(1)).isEqualTo("source      sha256 " + sha256(file));
                    assertThat(lines.get(2)).isEqualTo("destination sha256 " + sha256(file));
                    assertThat(lines.get(3))
                            .matches("8193 bytes in 3 pieces, \\d+ ms, [\\d.]+ MiB/s, equal");
                });
        edu.plan(Mishap.CORRUPTION, 2, () -> {});
        expect(Errno.EIO, "differs", () -> driver.copy(session, file.toString()));
        assertThat(out.toString(StandardCharsets.UTF_8))
                .endsWith("DIFFERENT" + System.lineSeparator());
    }

    private static CommandSession session(ByteArrayOutputStream out) {
        PrintStream console = new PrintStream(out, true, StandardCharsets.UTF_8);
        return (CommandSession)
                Proxy.newProxyInstance(
                        EduDriverTest.class.getClassLoader(),
                        new Class<?>[] {CommandSession.class},
                        (proxy, method, arguments) -> {
                            assertThat(method.getName()).isEqualTo("getConsole");
                            return console;
                        });
    }
}
