package org.peerlane.memory.core;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.MemoryRegion;

@DisplayName("RAM")
class SparseMemoryTest {
    private static final long GIB = 1L << 30;
    private static final int RAM_64_GIB = 64 << 10;

    @TempDir Path folder;

    private SparseMemory ram(int mib) {
        return ram(mib, List.of());
    }

    private SparseMemory ram(int mib, List<String> more) {
        return new SparseMemory(new PlainExecution(), RamLayout.of(mib, more), List.of(folder));
    }

    @Test
    void liesBelowTheHoleAndFrom4GibOn() {
        try (SparseMemory memory = ram(4096)) {
            assertThat(memory.regions())
                    .extracting(MemoryRegion::name)
                    .containsExactly("ram0", "ram1");
            assertThat(memory.regions())
                    .extracting(r -> r.range().first().value(), r -> r.range().bytes())
                    .containsExactly(tuple(0L, 3 * GIB), tuple(4 * GIB, GIB));
            assertThat(memory.find(0)).isSameAs(memory.regions().get(0));
            assertThat(memory.find(3 * GIB - 1)).isSameAs(memory.regions().get(0));
            assertThat(memory.find(3 * GIB)).isNull();
            assertThat(memory.find(4 * GIB)).isSameAs(memory.regions().get(1));
            assertThat(memory.find(5 * GIB)).isNull();
            assertThat(memory.find(-1)).isNull();
        }
    }

    @Test
    void keepsWhatIsWrittenInBothRegions() {
        try (SparseMemory memory = ram(4096)) {
            byte[] in = {1, 2, 3, 4, 5};
            byte[] out = new byte[5];
            for (long at : new long[] {0, 3 * GIB - 3, 4 * GIB, 5 * GIB - 3}) {
                memory.write(at, MemorySegment.ofArray(in), 1, 3);
                memory.read(at, MemorySegment.ofArray(out), 2, 3);
                assertThat(out).as("at 0x%x", at).containsExactly(0, 0, 2, 3, 4);
            }
        }
    }

    @ParameterizedTest(name = "8 bytes at {0}")
    @ValueSource(
            strings = {
                "0xbffffffc",
                "0xc0000000",
                "0xfffffffc",
                "0x13ffffffc",
                "-1",
                "-0x100000000"
            })
    void answersEfaultAndCopiesNothingIfPartOfItIsNotRam(String text) {
        long at = Long.decode(text);
        try (SparseMemory memory = ram(4096)) {
            byte[] bytes = {7, 7, 7, 7, 7, 7, 7, 7};
            expectEfault(() -> memory.read(at, MemorySegment.ofArray(bytes), 0, 8));
            assertThat(bytes).containsOnly(7);
            expectEfault(() -> memory.write(at, MemorySegment.ofArray(bytes), 0, 8));
            for (MemoryRegion region : memory.regions()) {
                MemorySegment end = region.segment().asSlice(region.segment().byteSize() - 8, 8);
                assertThat(end.toArray(JAVA_BYTE)).containsOnly(0);
                assertThat(region.segment().get(JAVA_BYTE, 0)).isZero();
            }
        }
    }

    @Test
    void anEmptyCopyIsFineAnywhere() {
        try (SparseMemory memory = ram(1)) {
            memory.read(-1, MemorySegment.NULL, 0, 0);
        }
    }

    @Test
    void takesNoRoomUntilItIsTouched() throws IOException {
        long before = Files.getFileStore(folder).getUsableSpace();
        try (SparseMemory memory = ram(RAM_64_GIB)) {
            assertThat(memory.pages().totalPages()).isEqualTo((64 * GIB - (1L << 20)) / 4096);
            byte[] one = {1};
            memory.write(64 * GIB, MemorySegment.ofArray(one), 0, 1);
            assertThat(memory.pages().allocate(10)).isEqualTo(4L << 20);
            assertThat(before - Files.getFileStore(folder).getUsableSpace()).isLessThan(8 * GIB);
        }
    }

    @Test
    void leavesNoFileBehindNotEvenWhileItLives() throws IOException {
        try (SparseMemory memory = ram(64)) {
            memory.pages().allocate(10);
            assertThat(names()).isEmpty();
        }
        assertThat(names()).isEmpty();
    }

    private List<Path> names() throws IOException {
        try (Stream<Path> names = Files.list(folder)) {
            return names.toList();
        }
    }

    @Test
    void closingItClosesItsSegmentsAndItsAllocator() {
        SparseMemory memory = ram(64);
        MemorySegment kept = memory.regions().getFirst().segment();
        memory.close();
        assertThat(kept.scope().isAlive()).isFalse();
        assertThatIllegalStateException().isThrownBy(() -> memory.pages().allocate(0));
        assertThatIllegalStateException()
                .isThrownBy(() -> memory.read(0, MemorySegment.ofArray(new byte[1]), 0, 1));
    }

    @Test
    void goesToTheNextFolderIfTheFirstTakesNothing() {
        try (SparseMemory memory =
                new SparseMemory(
                        new PlainExecution(),
                        RamLayout.of(16, List.of()),
                        List.of(folder.resolve("missing"), folder))) {
            assertThat(memory.pages().allocate(0)).isEqualTo(1L << 20);
        }
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() ->
                        new SparseMemory(
                                new PlainExecution(),
                                RamLayout.of(16, List.of()),
                                List.of(folder.resolve("missing"))))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
    }

    @ParameterizedTest(name = "{0} MiB")
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, (1 << 20) + 1})
    void refusesASizeOutOfRange(int mib) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> ram(mib).close())
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .withMessageContaining(mib + " MiB");
    }

    @Test
    void theSmallestMachineHasOnlyReservedPages() {
        try (SparseMemory memory = ram(1)) {
            assertThat(memory.pages().totalPages()).isZero();
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> memory.pages().allocate(0))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
        }
    }

    @Test
    void liesAtTerabytesTooIfABoardSaysSo() {
        long two = 2L << 40;
        try (SparseMemory memory = ram(1024, List.of("0x20000000000+1024", "0x100000000+4"))) {
            assertThat(memory.regions())
                    .extracting(r -> r.range().first().value(), r -> r.range().bytes())
                    .containsExactly(tuple(0L, GIB), tuple(4 * GIB, 4L << 20), tuple(two, GIB));
            byte[] in = {1, 2, 3};
            byte[] out = new byte[3];
            memory.write(two + GIB - 3, MemorySegment.ofArray(in), 0, 3);
            memory.read(two + GIB - 3, MemorySegment.ofArray(out), 0, 3);
            assertThat(out).containsExactly(1, 2, 3);
            expectEfault(() -> memory.read(two + GIB - 2, MemorySegment.ofArray(out), 0, 3));
            assertThat(memory.find(two - 1)).isNull();
            assertThat(memory.pages().totalPages()).isEqualTo((2 * GIB + (3L << 20)) / 4096);
            assertThat(memory.pages().freeRuns(10)).isEqualTo(255 + 1 + 256);
            for (int i = 0; i < 256; i++) {
                assertThat(memory.pages().allocate(10)).isLessThan(two);
            }
            long high = memory.pages().allocate(10);
            assertThat(high).isEqualTo(two);
            memory.pages().free(high, 10);
            assertThat(memory.pages().freeRuns(10)).isEqualTo(256);
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    2 TiB                  | address+MiB
                    0x1000+1               | multiple of 0x400000
                    0xc0000000+1           | for devices
                    0xbfc00000+8           | for devices
                    0x0+1                  | is RAM already
                    0x10000000000000+1     | at most at 0x10000000000000
                    0x7fffffffffc00000+1   | address+MiB
                    0x20000000000+0        | 0 MiB
                    0x20000000000+1048577  | 1048577 MiB
                    0x20000000000+1048576  | 1049600 MiB
                    """)
    void refusesMoreRamThatCannotBe(String text, String why) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> ram(1024, List.of(text)).close())
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .withMessageContaining(why);
    }

    private static void expectEfault(Runnable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call::run)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
    }
}
