package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.memory.api.AddressSpace.MAP_PRIVATE;
import static org.peerlane.memory.api.AddressSpace.MAP_SHARED;
import static org.peerlane.memory.api.AddressSpace.PIN_WRITE;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.api.Memfd.F_SEAL_FUTURE_WRITE;
import static org.peerlane.memory.api.Memfd.F_SEAL_GROW;
import static org.peerlane.memory.api.Memfd.F_SEAL_SEAL;
import static org.peerlane.memory.api.Memfd.F_SEAL_SHRINK;
import static org.peerlane.memory.api.Memfd.F_SEAL_WRITE;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.bytes;
import static org.peerlane.memory.core.space.Board.expect;
import static org.peerlane.memory.core.space.Board.expectBus;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Memfd;
import org.peerlane.memory.api.PinnedPages;

@DisplayName("A memfd")
class MemfdTest {
    private final Board board = new Board(new LiveExecution("test"), 64);
    private final ProcessSpace space = (ProcessSpace) board.spaces.create("user");
    private final Memfd memfd = board.spaces.memfd("shared", true);

    @AfterEach
    void nothingLeaks() {
        space.close();
        memfd.put();
        board.close();
    }

    private CpuMapping map(int protection) {
        return memfd.mmap(space, 0, 4 * PAGE, protection, MAP_SHARED, 0);
    }

    private int at(long offset) {
        byte[] one = new byte[1];
        assertThat(memfd.read(offset, MemorySegment.ofArray(one))).isOne();
        return one[0];
    }

    // ---- content

    @Test
    void writesAndReadsAndGrows() {
        assertThat(memfd.write(PAGE - 2, bytes(1, 2, 3, 4))).isEqualTo(4);
        assertThat(memfd.size()).isEqualTo(PAGE + 2);
        byte[] read = new byte[8];
        assertThat(memfd.read(PAGE - 3, MemorySegment.ofArray(read))).isEqualTo(5);
        assertThat(read).containsExactly(0, 1, 2, 3, 4, 0, 0, 0);
        assertThat(memfd.read(PAGE + 2, MemorySegment.ofArray(read))).isZero();
        expect(Errno.EINVAL, () -> memfd.read(-1, MemorySegment.ofArray(read)));
        expect(Errno.EINVAL, () -> memfd.write(-1, MemorySegment.ofArray(read)));
        expect(Errno.EFBIG, () -> memfd.write(Long.MAX_VALUE - 3, MemorySegment.ofArray(read)));
    }

    @Test
    void takesPagesOnlyWhereItIsTouched() {
        memfd.truncate(1L << 40);
        long before = board.used();
        memfd.write((1L << 40) - 1, bytes(7));
        assertThat(board.used()).isEqualTo(before + 1);
        assertThat(at(5)).as("a hole").isZero();
        assertThat(board.used()).isEqualTo(before + 1);
    }

    @Test
    void whenPagesRunOutAWriteIsShortOrFails() {
        byte[] much = new byte[3 * (int) PAGE];
        board.memory.pages().failNth(2);
        assertThat(memfd.write(0, MemorySegment.ofArray(much))).isEqualTo(PAGE);
        assertThat(memfd.size()).isEqualTo(PAGE);
        board.memory.pages().failNth(1);
        expect(Errno.ENOMEM, () -> memfd.write(PAGE, bytes(1)));
    }

    @Test
    void showsProcessesTheSameBytes() {
        memfd.truncate(2 * PAGE);
        CpuMapping mapping = map(READ_WRITE);
        space.store(mapping.first() + PAGE, 1, 9);
        assertThat(at(PAGE)).isEqualTo(9);
        memfd.write(3, bytes(8));
        assertThat(space.load(mapping.first() + 3, 1)).isEqualTo(8);
        expectBus(mapping.first() + 2 * PAGE, () -> space.load(mapping.first() + 2 * PAGE, 1));
        memfd.truncate(3 * PAGE);
        assertThat(space.load(mapping.first() + 2 * PAGE, 1)).isZero();
    }

    @Test
    void whatIsCutOffIsGoneForMappingsToo() {
        memfd.truncate(4 * PAGE);
        CpuMapping mapping = map(READ_WRITE);
        for (int i = 0; i < 4; i++) {
            space.store(mapping.first() + i * PAGE + 100, 1, 1);
        }
        long before = board.used();
        memfd.truncate(PAGE + 50);
        assertThat(board.used()).isEqualTo(before - 2);
        expectBus(mapping.first() + 2 * PAGE, () -> space.load(mapping.first() + 2 * PAGE, 1));
        memfd.truncate(4 * PAGE);
        assertThat(at(100)).isOne();
        assertThat(at(PAGE + 100)).as("the rest of the last page").isZero();
        assertThat(space.load(mapping.first() + 2 * PAGE + 100, 1)).isZero();
        expect(Errno.EINVAL, () -> memfd.truncate(-1));
    }

    @ParameterizedTest
    @CsvSource({"100, 8292, 1", "4096, 4096, 1", "10, 20, 0", "4000, 200, 0", "0, 16384, 4"})
    void aHoleReadsAsZerosAndGivesWholePagesBack(long offset, long bytes, int pages) {
        MemorySegment ones = MemorySegment.ofArray(new byte[4 * (int) PAGE]).fill((byte) 1);
        memfd.write(0, ones);
        long before = board.used();
        memfd.punchHole(offset, bytes);
        assertThat(before - board.used()).isEqualTo(pages);
        byte[] read = new byte[4 * (int) PAGE];
        memfd.read(0, MemorySegment.ofArray(read));
        for (int i = 0; i < read.length; i++) {
            assertThat(read[i])
                    .as("byte %d", i)
                    .isEqualTo((byte) (offset <= i && i < offset + bytes ? 0 : 1));
        }
        assertThat(memfd.size()).isEqualTo(4 * PAGE);
    }

    @Test
    void aMappingOutlivesTheDescriptor() {
        Memfd other = board.spaces.memfd("other", false);
        other.truncate(PAGE);
        CpuMapping mapping = other.mmap(space, 0, PAGE, READ_WRITE, MAP_SHARED, 0);
        space.store(mapping.first(), 1, 4);
        other.put();
        assertThat(space.load(mapping.first(), 1)).isEqualTo(4);
        space.unmap(mapping.first(), PAGE);
        assertThat(other.getUnlessZero()).isFalse();
    }

    // ---- seals

    @Test
    void sealsOfSizeForbidTheirDirection() {
        memfd.truncate(2 * PAGE);
        memfd.addSeals(F_SEAL_SHRINK);
        expect(Errno.EPERM, () -> memfd.truncate(PAGE));
        memfd.truncate(2 * PAGE);
        memfd.truncate(3 * PAGE);
        memfd.addSeals(F_SEAL_GROW);
        expect(Errno.EPERM, () -> memfd.truncate(4 * PAGE));
        expect(Errno.EPERM, () -> memfd.write(3 * PAGE - 1, bytes(1, 2)));
        assertThat(memfd.write(3 * PAGE - 1, bytes(1))).isOne();
        assertThat(memfd.seals()).isEqualTo(F_SEAL_SHRINK | F_SEAL_GROW);
    }

    @Test
    void whoCannotBeSealedCannotBeSealed() {
        Memfd plain = board.spaces.memfd("plain", false);
        assertThat(plain.seals()).isEqualTo(F_SEAL_SEAL);
        expect(Errno.EPERM, () -> plain.addSeals(F_SEAL_SHRINK));
        expect(Errno.EINVAL, () -> plain.addSeals(0x40));
        plain.put();
    }

    @ParameterizedTest
    @ValueSource(ints = {F_SEAL_WRITE, F_SEAL_FUTURE_WRITE})
    void sealedAgainstWritesItIsReadOnly(int seal) {
        memfd.truncate(4 * PAGE);
        memfd.addSeals(seal);
        expect(Errno.EPERM, () -> memfd.write(0, bytes(1)));
        expect(Errno.EPERM, () -> memfd.punchHole(0, PAGE));
        expect(Errno.EPERM, () -> map(READ_WRITE));
        CpuMapping mapping = map(PROT_READ);
        assertThat(space.load(mapping.first(), 1)).isZero();
        expect(Errno.EACCES, () -> space.protect(mapping.first(), PAGE, READ_WRITE));
        memfd.addSeals(F_SEAL_WRITE); // such a mapping does no harm
    }

    @Test
    void sealedAgainstFutureWritesMappingsGoOn() {
        memfd.truncate(4 * PAGE);
        CpuMapping mapping = map(READ_WRITE);
        memfd.addSeals(F_SEAL_FUTURE_WRITE);
        space.store(mapping.first(), 1, 3);
        assertThat(at(0)).isEqualTo(3);
    }

    @Test
    void aMappingThatCouldBeWrittenToHoldsOffTheSealUntilItsLastPartIsGone() {
        memfd.truncate(4 * PAGE);
        CpuMapping mapping = map(PROT_READ);
        expect(Errno.EBUSY, () -> memfd.addSeals(F_SEAL_WRITE | F_SEAL_GROW));
        assertThat(memfd.seals()).as("none of them").isZero();
        long first = mapping.first();
        space.unmap(first + PAGE, PAGE);
        space.unmap(first, PAGE);
        expect(Errno.EBUSY, () -> memfd.addSeals(F_SEAL_WRITE));
        space.unmap(first, 4 * PAGE);
        memfd.addSeals(F_SEAL_WRITE);
        memfd.addSeals(F_SEAL_WRITE); // again is fine
    }

    @Test
    void aPrivateMappingHoldsOffNoSeal() {
        memfd.truncate(PAGE);
        memfd.mmap(space, 0, PAGE, PROT_READ, MAP_PRIVATE, 0);
        memfd.addSeals(F_SEAL_WRITE);
    }

    @Test
    void aPinHoldsOffTheSeal() {
        memfd.truncate(4 * PAGE);
        CpuMapping mapping = map(READ_WRITE);
        PinnedPages pinned = space.pin(mapping.first() + PAGE, PAGE, PIN_WRITE);
        space.unmap(mapping.first(), 4 * PAGE);
        expect(Errno.EBUSY, () -> memfd.addSeals(F_SEAL_WRITE));
        pinned.unpin(true);
        memfd.addSeals(F_SEAL_WRITE);
    }

    // ---- exporters

    @Test
    void pinnedPagesArePartOfTheFileUntilAHoleTakesThemOut() {
        memfd.truncate(4 * PAGE);
        memfd.write(PAGE, bytes(5));
        PinnedPages pinned = memfd.pin(PAGE, 2 * PAGE, 0, 0);
        assertThat(pinned.count()).isEqualTo(2);
        board.poke(pinned.physical(1), 6);
        assertThat(at(2 * PAGE)).as("a hole was filled").isEqualTo(6);
        memfd.punchHole(PAGE, PAGE);
        assertThat(board.peek(pinned.physical(0))).as("the old page").isEqualTo(5);
        assertThat(at(PAGE)).isZero();
        board.poke(pinned.physical(0), 7);
        assertThat(at(PAGE)).as("a page of its own").isZero();
        expect(Errno.EBUSY, () -> memfd.addSeals(F_SEAL_WRITE));
        pinned.unpin(true);
    }

    @Test
    void pinsAreCheckedAndWhatFailsHoldsNothing() {
        memfd.truncate(4 * PAGE);
        expect(Errno.EINVAL, () -> memfd.pin(0, PAGE, F_SEAL_SHRINK, 0));
        memfd.addSeals(F_SEAL_SHRINK);
        memfd.pin(0, PAGE, F_SEAL_SHRINK, F_SEAL_WRITE).unpin(false);
        expect(Errno.EINVAL, () -> memfd.pin(0, PAGE, 0, F_SEAL_SHRINK));
        expect(Errno.EINVAL, () -> memfd.pin(0, 0, 0, 0));
        expect(Errno.EINVAL, () -> memfd.pin(-PAGE, PAGE, 0, 0));
        expect(Errno.EINVAL, () -> memfd.pin(3 * PAGE, PAGE + 1, 0, 0));
        expect(Errno.EINVAL, () -> memfd.pin(PAGE, Long.MAX_VALUE, 0, 0));
        board.memory.pages().failNth(2);
        expect(Errno.ENOMEM, () -> memfd.pin(0, 4 * PAGE, 0, 0));
        memfd.addSeals(F_SEAL_WRITE); // nothing is pinned
    }

    @Test
    void pinnedPagesOutliveTheFile() {
        Memfd other = board.spaces.memfd("other", true);
        other.truncate(PAGE);
        PinnedPages pinned = other.pin(0, PAGE, 0, 0);
        board.poke(pinned.physical(0), 5);
        other.put();
        assertThat(board.peek(pinned.physical(0))).isEqualTo(5);
        pinned.unpin(false);
    }
}
