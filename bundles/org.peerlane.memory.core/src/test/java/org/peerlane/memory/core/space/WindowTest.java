package org.peerlane.memory.core.space;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.memory.api.AddressSpace.MAP_SHARED;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.anonymous;
import static org.peerlane.memory.core.space.Board.expectBus;
import static org.peerlane.memory.core.space.Board.expectSegv;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.memory.api.Window;

@DisplayName("A window")
class WindowTest {
    private final Board board = new Board(new LiveExecution("test"), 64);
    private final ProcessSpace space = (ProcessSpace) board.spaces.create("cat");

    @AfterEach
    void nothingLeaks() {
        board.close();
    }

    @Test
    void coversTheContiguousRunOfItsMapping() {
        long run = board.memory.pages().allocate(4);
        long odd = board.spaces.pages().allocate();
        Mappable object =
                board.spaces.object(
                        "runs",
                        MappableKind.FRAMES,
                        new MappingOperations() {
                            @Override
                            public void mapped(CpuMapping mapping) {
                                mapping.insert(mapping.first(), run, 8 * PAGE);
                                mapping.insert(mapping.first() + 8 * PAGE, odd, PAGE);
                            }

                            @Override
                            public FaultResult fault(Fault fault) {
                                return FaultResult.BUS_ERROR;
                            }
                        });
        CpuMapping mapping = space.map(0, 10 * PAGE, READ_WRITE, MAP_SHARED, object, 0);
        Window window = mapping.window(mapping.first() + PAGE + 5, true);
        assertThat(window.address()).isEqualTo(mapping.first() + PAGE);
        assertThat(window.segment().byteSize()).isEqualTo(7 * PAGE);
        window.segment().set(JAVA_LONG, 8, 42);
        assertThat(board.peek(run + PAGE + 8)).isEqualTo(42);
        assertThat(space.load(mapping.first() + PAGE + 8, 8)).isEqualTo(42);
        assertThat(space.entry(mapping.first() + 7 * PAGE) & Pte.DIRTY).isNotZero();
        assertThat(mapping.window(mapping.first() + 8 * PAGE, false).segment().byteSize())
                .isEqualTo(PAGE);
        expectBus(
                mapping.first() + 9 * PAGE,
                () -> mapping.window(mapping.first() + 9 * PAGE, false));
        expectSegv(
                mapping.first() + 10 * PAGE,
                () -> mapping.window(mapping.first() + 10 * PAGE, false));
        space.close();
        board.memory.pages().free(run, 4);
        board.spaces.pages().put(odd);
    }

    @Test
    void closesWithAZapOfAnyPartAndFaultsAgain() {
        ProcessSpace other = (ProcessSpace) board.spaces.create("dog");
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 2)) {
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            Window mine = mapping.window(mapping.first(), true);
            CpuMapping theirs = exporter.map(other, PROT_READ);
            Window second = theirs.window(theirs.first() + PAGE, false);
            mine.segment().set(JAVA_LONG, 0, 1);
            MemorySegment kept = mine.segment();

            exporter.revoke();
            assertThat(mine.isOpen()).isFalse();
            assertThat(second.isOpen()).isFalse();
            assertThatIllegalStateException().isThrownBy(() -> kept.get(JAVA_BYTE, 0));
            expectBus(mapping.first(), mine::segment);
            byte[] one = new byte[1];
            expectBus(mapping.first(), () -> mine.read(0, MemorySegment.ofArray(one), 0, 1));
            exporter.restore();
            mine.read(0, MemorySegment.ofArray(one), 0, 1);
            assertThat(one).containsExactly(1);
            assertThat(mine.isOpen()).isFalse();
            assertThat(mine.segment().get(JAVA_LONG, 0)).isOne();
            assertThat(mine.isOpen()).isTrue();

            exporter.object.unmapRange(PAGE, PAGE);
            assertThat(mine.isOpen()).isFalse();
            space.close();
            other.close();
        }
    }

    @Test
    void closesWithItsMappingAndWithItsProtection() {
        CpuMapping mapping = anonymous(space, 3);
        CpuMapping other = anonymous(space, 1);
        Window window = mapping.window(mapping.first(), true);
        Window far = other.window(other.first(), true);
        space.protect(mapping.first(), PAGE, PROT_READ);
        assertThat(window.isOpen()).isFalse();
        expectSegv(mapping.first(), window::segment);
        Window reader = mapping.window(mapping.first(), false);
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> reader.segment().set(JAVA_BYTE, 0, (byte) 1));
        expectSegv(mapping.first(), () -> reader.write(0, Board.bytes(1), 0, 1));
        space.unmap(mapping.first(), PAGE);
        assertThat(reader.isOpen()).isFalse();
        expectSegv(mapping.first(), reader::segment);
        assertThat(far.isOpen()).isTrue();
    }

    @Test
    void readsAndWritesGoPastTheView() {
        CpuMapping mapping = anonymous(space, 3);
        Window window = mapping.window(mapping.first(), true);
        byte[] in = new byte[(int) (2 * PAGE)];
        java.util.Arrays.fill(in, (byte) 7);
        window.write(PAGE - 5, MemorySegment.ofArray(in), 0, in.length);
        window.write(3, MemorySegment.ofArray(in), 0, 4);
        byte[] out = new byte[in.length];
        window.read(PAGE - 5, MemorySegment.ofArray(out), 0, out.length);
        assertThat(out).isEqualTo(in);
        assertThat(space.load(mapping.first(), 8)).isEqualTo(0x0007_0707_0700_0000L);
        expectSegv(
                mapping.first() + 3 * PAGE,
                () -> window.read(3 * PAGE - 1, MemorySegment.ofArray(out), 0, 2));
    }

    @Test
    void noPageIsLostWithAZappedDirtyEntry() {
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 2)) {
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            mapping.window(mapping.first(), true);
            space.load(mapping.first() + PAGE, 8);
            exporter.object.unmapRange(0, Long.MAX_VALUE);
            assertThat(board.spaces.pages().isDirty(exporter.pages[0])).isTrue();
            assertThat(board.spaces.pages().isDirty(exporter.pages[1])).isFalse();
            assertThat(board.spaces.pages().count(exporter.pages[0])).isOne();
        }
    }
}
