package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.memory.api.AddressSpace.MAP_PRIVATE;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.expect;
import static org.peerlane.memory.core.space.Board.expectSegv;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.memory.api.RegisterAccess;
import org.peerlane.memory.api.Window;

@DisplayName("A mapping of an object whose stores are the process's own")
class PrivateMappingTest {
    private final Board board = new Board(new LiveExecution("test"), 64);
    private final ProcessSpace space = (ProcessSpace) board.spaces.create("cat");

    @AfterEach
    void nothingLeaks() {
        board.close();
    }

    private static CpuMapping map(AddressSpace space, Exporter exporter) {
        return space.map(
                0, exporter.pages.length * PAGE, READ_WRITE, MAP_PRIVATE, exporter.object, 0);
    }

    @ParameterizedTest
    @EnumSource(MappableKind.class)
    void aStoreIsSeenByTheProcessAlone(MappableKind kind) {
        AddressSpace other = board.spaces.create("dog");
        try (Exporter exporter = new Exporter(board, kind, 2)) {
            board.poke(exporter.pages[0] + 8, 0x11);
            CpuMapping mine = map(space, exporter);
            CpuMapping everybodys = exporter.map((ProcessSpace) other, READ_WRITE);
            assertThat(space.load(mine.first() + 8, 8)).isEqualTo(0x11);
            space.store(mine.first(), 8, 1);
            space.store(mine.first() + PAGE, 8, 2); // not loaded before
            assertThat(space.load(mine.first(), 8)).isEqualTo(1);
            assertThat(space.load(mine.first() + 8, 8)).as("the rest of the page").isEqualTo(0x11);
            assertThat(other.load(everybodys.first(), 8)).isZero();
            assertThat(board.peek(exporter.pages[1])).isZero();
            other.store(everybodys.first() + 8, 8, 0x22);
            assertThat(space.load(mine.first() + 8, 8)).as("no longer shared").isEqualTo(0x11);
            space.close();
            other.close();
        }
    }

    @ParameterizedTest
    @EnumSource(MappableKind.class)
    void whatIsNotStoredToIsTheObjects(MappableKind kind) {
        try (Exporter exporter = new Exporter(board, kind, 2)) {
            CpuMapping mine = map(space, exporter);
            assertThat(space.load(mine.first(), 8)).isZero();
            board.poke(exporter.pages[0], 0x33);
            assertThat(space.load(mine.first(), 8)).isEqualTo(0x33);
            space.close();
        }
    }

    @ParameterizedTest
    @EnumSource(MappableKind.class)
    void aZapTakesOwnPagesToo(MappableKind kind) {
        try (Exporter exporter = new Exporter(board, kind, 1)) {
            CpuMapping mine = map(space, exporter);
            space.store(mine.first(), 8, 1);
            exporter.revoke();
            exporter.restore();
            assertThat(space.load(mine.first(), 8)).as("the object's again").isZero();
            space.store(mine.first(), 8, 2);
            assertThat(space.load(mine.first(), 8)).isEqualTo(2);
            space.close();
        }
    }

    @Test
    void storesCanBeAllowedAndForbidden() {
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 1)) {
            CpuMapping mine = space.map(0, PAGE, PROT_READ, MAP_PRIVATE, exporter.object, 0);
            assertThat(space.load(mine.first(), 8)).isZero();
            expectSegv(mine.first(), () -> space.store(mine.first(), 8, 1));
            space.protect(mine.first(), PAGE, READ_WRITE);
            space.store(mine.first(), 8, 1);
            space.protect(mine.first(), PAGE, PROT_READ);
            expectSegv(mine.first(), () -> space.store(mine.first(), 8, 2));
            space.protect(mine.first(), PAGE, READ_WRITE);
            space.store(mine.first() + 8, 8, 3);
            assertThat(space.load(mine.first(), 8)).isEqualTo(1);
            assertThat(board.peek(exporter.pages[0])).isZero();
            space.close();
        }
    }

    @Test
    void aWindowShowsTheOwnPageAndNotTheOldOne() {
        try (Exporter exporter = new Exporter(board, MappableKind.FRAMES, 1)) {
            CpuMapping mine = map(space, exporter);
            Window before = mine.window(mine.first(), false);
            before.segment();
            space.store(mine.first(), 8, 7);
            Window after = mine.window(mine.first(), true);
            assertThat(after.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(7);
            assertThat(before.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(7);
            space.close();
        }
    }

    @Test
    void withoutAPageItIsABusErrorAndNothingHasChanged() {
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 1)) {
            CpuMapping mine = map(space, exporter);
            space.load(mine.first(), 8);
            board.memory.pages().failNth(1);
            Board.expectBus(mine.first(), () -> space.store(mine.first(), 8, 1));
            assertThat(space.load(mine.first(), 8)).isZero();
            space.store(mine.first(), 8, 1);
            space.close();
        }
    }

    /** An object of device memory, by segment or by registers. */
    private record Bar(long physical) implements MappingOperations {
        @Override
        public FaultResult fault(Fault fault) {
            fault.insert(fault.address(), physical, PAGE, true);
            return FaultResult.DONE;
        }
    }

    @Test
    void memoryOfADeviceIsCopiedToo() {
        long physical = 1L << 40;
        AddressRange<PhysicalAddress> range =
                AddressRange.ofLength(new PhysicalAddress(physical), PAGE);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocate(PAGE, PAGE).fill((byte) 5);
            var memory = board.spaces.provide("bar", range, bytes);
            copies(new Bar(physical), 0x0505_0505_0505_0505L);
            memory.close();
        }
        RegisterAccess registers =
                new RegisterAccess() {
                    @Override
                    public long read(long at, int width) {
                        return at & PAGE - 1;
                    }

                    @Override
                    public void write(long at, int width, long value) {
                        throw new AssertionError("a store of 0x%x".formatted(value));
                    }
                };
        var answer = board.spaces.provide("registers", range, registers);
        copies(new Bar(physical), 0x18);
        answer.close();
    }

    private void copies(Bar bar, long expected) {
        Mappable object = board.spaces.object("bar", MappableKind.FRAMES, bar);
        CpuMapping mine = space.map(0, PAGE, READ_WRITE, MAP_PRIVATE, object, 0);
        space.store(mine.first(), 8, 1);
        assertThat(space.load(mine.first() + 0x18, 8)).isEqualTo(expected);
        expect(Errno.EFAULT, () -> space.pin(mine.first(), PAGE, 0));
        space.unmap(mine.first(), PAGE);
        object.retire();
    }
}
