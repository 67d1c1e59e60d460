package org.peerlane.memory.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.MemoryRegion;

@DisplayName("Physical memory")
class MemoryTest {
    private static final long GIB = 1L << 30;
    private final LiveExecution execution = new LiveExecution("test");
    private final MemorySegment local = Arena.ofAuto().allocate(8192);

    @AfterEach
    void close() {
        execution.close();
    }

    @Test
    void ramGoesAroundTheHoleForDevices() {
        var memory = new Memory(execution, 8 * GIB);
        assertThat(memory.regions())
                .extracting(MemoryRegion::range)
                .extracting(Object::toString)
                .containsExactly("phys 0x0-0xbfffffff", "phys 0x100000000-0x23fffffff");
        assertThat(memory.find(0xC000_0000L)).isNull();
        assertThat(memory.find(-1)).isNull();
        assertThat(memory.find(0xBFFF_FFFFL)).isSameAs(memory.regions().getFirst());
        assertThat(memory.find(0x1_0000_0000L)).isSameAs(memory.regions().getLast());
        memory.close();
    }

    @Test
    void sixtyFourGibibytesTakeNoRoomUntilTouched() throws Exception {
        long before = usable();
        var memory = new Memory(execution, 64 * GIB);
        local.set(ValueLayout.JAVA_LONG, 0, 42);
        memory.write(64 * GIB, local, 0, 8);
        memory.read(64 * GIB, local, 8, 8);
        assertThat(local.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(42);
        assertThat(before - usable()).isLessThan(GIB / 4);
        memory.close();
    }

    private static long usable() throws Exception {
        return Files.getFileStore(Path.of(System.getProperty("java.io.tmpdir"))).getUsableSpace();
    }

    @Test
    void noFileIsLeftBehind() throws Exception {
        var memory = new Memory(execution, 16L << 20);
        assertThat(files("/dev/shm")).isEmpty();
        assertThat(files(System.getProperty("java.io.tmpdir"))).isEmpty();
        memory.close();
        assertThatIllegalStateException().isThrownBy(() -> memory.read(4096, local, 0, 8));
    }

    private static Stream<Path> files(String folder) throws Exception {
        Path path = Path.of(folder);
        return Files.isDirectory(path)
                ? Files.list(path)
                        .filter(p -> p.getFileName().toString().startsWith("peerlane-ram"))
                : Stream.empty();
    }

    @Test
    void bytesComeBack() {
        var memory = new Memory(execution, 16L << 20);
        for (int i = 0; i < 8192; i++) {
            local.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7));
        }
        memory.write(0x10_0FFF, local, 0, 8192);
        MemorySegment back = Arena.ofAuto().allocate(8192);
        memory.read(0x10_0FFF, back, 0, 8192);
        assertThat(back.mismatch(local)).isEqualTo(-1);
        memory.close();
    }

    @Test
    void anAccessThatLeavesTheRamIsEfaultAndCopiesNothing() {
        var memory = new Memory(execution, 16L << 20);
        local.fill((byte) 1);
        long last = (16L << 20) - 4096;
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> memory.write(last, local, 0, 4097))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT))
                .withMessageContaining("0x1000000");
        MemorySegment back = Arena.ofAuto().allocate(4096);
        back.fill((byte) 9);
        memory.read(last, back, 0, 4096);
        assertThat(back.get(ValueLayout.JAVA_BYTE, 0)).isZero();
        memory.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -4096, 4096, (4L << 20) + 1})
    void aSizeThatIsNoMemoryIsEinval(long bytes) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> new Memory(execution, bytes))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .withMessageContaining(Long.toString(bytes));
    }
}
