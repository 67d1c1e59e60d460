package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.memory.api.AddressSpace.MAP_FIXED;
import static org.peerlane.memory.api.AddressSpace.MAP_SHARED;
import static org.peerlane.memory.api.AddressSpace.PROT_READ;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.expect;
import static org.peerlane.memory.core.space.Board.expectBus;
import static org.peerlane.memory.core.space.Board.expectSegv;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.testkit.Rule;

@DisplayName("A mapping of an object")
class ObjectMappingTest {
    private static final long MIB = 1L << 20;

    private final Board board = new Board(new LiveExecution("test"), 64);
    private final ProcessSpace space = (ProcessSpace) board.spaces.create("cat");

    @AfterEach
    void nothingLeaks() {
        board.close();
    }

    @ParameterizedTest
    @EnumSource(MappableKind.class)
    void isFaultedPageByPageAndSharedByProcesses(MappableKind kind) {
        AddressSpace other = board.spaces.create("dog");
        try (Exporter exporter = new Exporter(board, kind, 4)) {
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            CpuMapping second = exporter.map((ProcessSpace) other, PROT_READ);
            assertThat(exporter.object.mappings()).isEqualTo(2);
            space.store(mapping.first() + 2 * PAGE, 8, 77);
            assertThat(board.peek(exporter.pages[2])).isEqualTo(77);
            assertThat(other.load(second.first() + 2 * PAGE, 8)).isEqualTo(77);
            space.load(mapping.first() + 2 * PAGE, 8);
            assertThat(exporter.calls)
                    .containsExactly("mapped 0+4", "mapped 0+4", "fault 2", "fault 2");
            boolean special = (space.entry(mapping.first() + 2 * PAGE) & Pte.SPECIAL) != 0;
            assertThat(special).isEqualTo(kind == MappableKind.FRAMES);
            other.close();
            space.close();
            assertThat(exporter.object.mappings()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(MappableKind.class)
    @Rule("RK-24")
    @Rule("DB-55")
    void outlivesAZapAndIsABusErrorWhileAccessIsRefused(MappableKind kind) {
        try (Exporter exporter = new Exporter(board, kind, 2)) {
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            long at = mapping.first();
            space.store(at, 8, 1);
            exporter.revoke();
            assertThat(space.entry(at)).isZero();
            expectBus(at, () -> space.load(at, 8));
            expectBus(at, () -> space.store(at + 0, 8, 2));
            expect(Errno.EFAULT, () -> space.copyFromUser(at, Board.bytes(0), 0, 1));
            assertThat(mapping.isAlive()).isTrue();
            exporter.restore();
            assertThat(space.load(at, 8)).isOne();
            space.unmap(at, 2 * PAGE);
        }
    }

    @Test
    void openAndCloseFollowEverySplit() {
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 6)) {
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            mapping.privateData("mine");
            for (int i = 0; i < 6; i++) {
                space.store(mapping.first() + i * PAGE, 8, i + 1);
            }
            exporter.calls.clear();
            space.unmap(mapping.first() + 2 * PAGE, 2 * PAGE);
            assertThat(exporter.calls).containsExactly("open 2+4", "open 4+2", "close");
            CpuMapping upper = space.mappings().get(1);
            assertThat(upper.offset()).isEqualTo(4 * PAGE);
            assertThat(upper.privateData()).isEqualTo("mine");
            exporter.object.unmapRange(5 * PAGE, PAGE);
            assertThat(space.entry(upper.first())).isNotZero();
            assertThat(space.entry(upper.first() + PAGE)).isZero();
            assertThat(space.load(upper.first() + PAGE, 8)).isEqualTo(6);
            space.protect(mapping.first(), PAGE, PROT_READ);
            assertThat(exporter.calls).endsWith("fault 5", "open 1+1");
            exporter.calls.clear();
            space.close();
            assertThat(exporter.calls).containsExactly("close", "close", "close");
            assertThat(exporter.object.mappings()).isZero();
        }
    }

    @Test
    void aStoreToAReadOnlyEntryAsksAgain() {
        try (Exporter exporter = new Exporter(board, MappableKind.FRAMES, 1)) {
            exporter.writable = false;
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            space.load(mapping.first(), 8);
            space.store(mapping.first(), 8, 3);
            space.store(mapping.first(), 8, 4);
            assertThat(exporter.calls).containsExactly("mapped 0+1", "fault 0", "fault 0");
            assertThat(board.peek(exporter.pages[0])).isEqualTo(4);
        }
    }

    @Test
    void beyondTheObjectIsABusError() {
        try (Exporter exporter = new Exporter(board, MappableKind.FRAMES, 1)) {
            CpuMapping mapping = space.map(0, 2 * PAGE, PROT_READ, MAP_SHARED, exporter.object, 0);
            assertThat(space.load(mapping.first(), 8)).isZero();
            expectBus(mapping.first() + PAGE, () -> space.load(mapping.first() + PAGE, 8));
            space.close();
        }
    }

    @Test
    void whatMappedThrowsFailsTheMapAndLeavesNothing() {
        long page = board.spaces.pages().allocate();
        Mappable object =
                board.spaces.object(
                        "moody",
                        MappableKind.PAGES,
                        new Zeros() {
                            @Override
                            public void mapped(CpuMapping mapping) {
                                mapping.insert(mapping.first(), page, PAGE);
                                throw new ErrnoException(Errno.ENODEV, "not today");
                            }
                        });
        expect(Errno.ENODEV, () -> space.map(0, PAGE, PROT_READ, MAP_SHARED, object, 0));
        assertThat(space.mappings()).isEmpty();
        assertThat(object.mappings()).isZero();
        assertThat(space.tablePages()).isOne();
        board.spaces.pages().put(page);
    }

    @Test
    void storesCanBeForbiddenForGood() {
        Mappable object =
                board.spaces.object(
                        "read-only",
                        MappableKind.FRAMES,
                        new Zeros() {
                            @Override
                            public void mapped(CpuMapping mapping) {
                                mapping.forbidWrite();
                            }
                        });
        expect(Errno.EACCES, () -> space.map(0, PAGE, READ_WRITE, MAP_SHARED, object, 0));
        assertThat(space.mappings()).isEmpty();
        CpuMapping mapping = space.map(0, PAGE, PROT_READ, MAP_SHARED, object, 0);
        expect(Errno.EACCES, () -> space.protect(mapping.first(), PAGE, READ_WRITE));
        expectSegv(mapping.first(), () -> space.store(mapping.first(), 1, 1));
    }

    @Test
    @Rule("HP-19")
    void populatedAtMapItNeverFaults() {
        long run = board.memory.pages().allocate(8);
        Mappable object =
                board.spaces.object(
                        "heap",
                        MappableKind.FRAMES,
                        new Zeros() {
                            @Override
                            public void mapped(CpuMapping mapping) {
                                mapping.insert(mapping.first(), run, MIB);
                            }
                        });
        CpuMapping mapping = space.map(0, MIB, READ_WRITE, MAP_SHARED, object, 0);
        for (long at = 0; at < MIB; at += PAGE) {
            space.store(mapping.first() + at, 8, at);
        }
        assertThat(board.peek(run + MIB - PAGE)).isEqualTo(MIB - PAGE);
        space.close();
        board.memory.pages().free(run, 8);
    }

    @Test
    void aHandlerMayFillAround() {
        long run = board.memory.pages().allocate(5);
        int[] faults = new int[1];
        Mappable object =
                board.spaces.object(
                        "around",
                        MappableKind.FRAMES,
                        fault -> {
                            faults[0]++;
                            long first = fault.aroundFirst();
                            long offset = fault.offset() - (fault.address() - first);
                            fault.insert(first, run + offset, fault.aroundBytes(), true);
                            return FaultResult.DONE;
                        });
        long at = 0x10_0000_0000L + 4 * PAGE;
        space.map(at, 32 * PAGE, READ_WRITE, MAP_SHARED | MAP_FIXED, object, 0);
        for (int i = 0; i < 32; i++) {
            space.store(at + i * PAGE, 8, i);
            assertThat(board.peek(run + i * PAGE)).isEqualTo(i);
        }
        assertThat(faults[0]).as("12, 16 and 4 pages").isEqualTo(3);
        space.close();
        board.memory.pages().free(run, 5);
    }

    @Test
    void alignedFramesGetLargeEntriesThatGoWholeAndComeBack() {
        long run = board.memory.pages().allocate(10);
        int[] faults = new int[1];
        Mappable object =
                board.spaces.object(
                        "large",
                        MappableKind.FRAMES,
                        fault -> {
                            faults[0]++;
                            CpuMapping mapping = fault.mapping();
                            fault.insert(
                                    mapping.first(), run + mapping.offset(), mapping.bytes(), true);
                            return FaultResult.DONE;
                        });
        CpuMapping mapping = space.map(0, 4 * MIB, READ_WRITE, MAP_SHARED, object, 0);
        long at = mapping.first();
        assertThat(at % (2 * MIB)).isZero();
        space.store(at + 3 * MIB + 8, 8, 5);
        assertThat(board.peek(run + 3 * MIB + 8)).isEqualTo(5);
        assertThat(space.entry(at) & Pte.LARGE).isNotZero();
        assertThat(space.tablePages()).as("no leaf table").isEqualTo(3);
        byte[] all = new byte[(int) (4 * MIB)];
        space.read(at, java.lang.foreign.MemorySegment.ofArray(all), 0, all.length);
        assertThat(all[(int) (3 * MIB + 8)]).isEqualTo((byte) 5);
        mapping.zap(at + 5 * PAGE, PAGE);
        assertThat(space.entry(at)).isZero();
        assertThat(space.entry(at + 2 * MIB)).isNotZero();
        space.unmap(at + 3 * MIB, PAGE);
        assertThat(space.load(at + 2 * MIB + 8, 8)).isZero();
        assertThat(space.load(at + 3 * MIB - 8, 8)).isZero();
        expectSegv(at + 3 * MIB, () -> space.load(at + 3 * MIB, 8));
        assertThat(space.load(at + 3 * MIB + PAGE, 8)).isZero();
        assertThat(faults[0]).isEqualTo(3);
        space.close();
        board.memory.pages().free(run, 10);
    }

    @Test
    void insertionChecksWhatItIsGiven() {
        long ram = board.spaces.pages().allocate();
        long other = board.spaces.pages().allocate();
        Mappable object =
                board.spaces.object(
                        "checked",
                        MappableKind.FRAMES,
                        fault -> {
                            long at = fault.mapping().first();
                            expect(Errno.EINVAL, () -> fault.insert(at + 1, ram, PAGE, true));
                            expect(Errno.EINVAL, () -> fault.insert(at, ram + 1, PAGE, true));
                            expect(Errno.EINVAL, () -> fault.insert(at, ram, 0, true));
                            expect(Errno.EINVAL, () -> fault.insert(at - PAGE, ram, PAGE, true));
                            expect(Errno.EINVAL, () -> fault.insert(at, ram, 3 * PAGE, true));
                            expect(Errno.EINVAL, () -> fault.insert(at, 1L << 40, PAGE, true));
                            expect(Errno.EINVAL, () -> fault.insert(at, -PAGE, PAGE, true));
                            fault.insert(at, ram, PAGE, true);
                            fault.insert(at, ram, PAGE, true);
                            assertThatIllegalStateException()
                                    .isThrownBy(() -> fault.insert(at, other, PAGE, true));
                            assertThatIllegalStateException()
                                    .as("a mapping is populated with the mmap lock held")
                                    .isThrownBy(() -> fault.mapping().insert(at, ram, PAGE));
                            return FaultResult.DONE;
                        });
        CpuMapping mapping = space.map(0, 2 * PAGE, READ_WRITE, MAP_SHARED, object, 0);
        space.store(mapping.first(), 8, 9);
        assertThat(board.peek(ram)).isEqualTo(9);
        assertThatIllegalStateException()
                .as("done, but not for this page")
                .isThrownBy(() -> space.load(mapping.first() + PAGE, 8));
        space.close();
        board.spaces.pages().put(ram);
        board.spaces.pages().put(other);
    }

    @Test
    void aHandlerMayLetGoOfTheLockAndAskForAnotherTry() {
        long page = board.spaces.pages().allocate();
        int[] tries = new int[1];
        Mappable object =
                board.spaces.object(
                        "slow",
                        MappableKind.FRAMES,
                        fault -> {
                            if (tries[0]++ == 0) {
                                fault.release();
                                space.unmap(0x10_0000, PAGE); // possible only without the lock
                                assertThatIllegalStateException()
                                        .isThrownBy(() ->
                                                fault.insert(fault.address(), page, PAGE, true));
                                return FaultResult.RETRY;
                            }
                            fault.insert(fault.address(), page, PAGE, true);
                            return FaultResult.DONE;
                        });
        CpuMapping mapping = space.map(0, PAGE, READ_WRITE, MAP_SHARED, object, 0);
        assertThat(space.load(mapping.first(), 8)).isZero();
        assertThat(tries[0]).isEqualTo(2);
        space.close();
        board.spaces.pages().put(page);
    }

    @Test
    void whatAHandlerThrowsIsABusErrorIfItIsAnErrnoElseItIsOurMistake() {
        Mappable object =
                board.spaces.object(
                        "throws",
                        MappableKind.FRAMES,
                        fault -> {
                            if (fault.offset() == 0) {
                                throw new ErrnoException(Errno.EIO, "broken");
                            }
                            throw new IllegalArgumentException("mistake");
                        });
        CpuMapping mapping = space.map(0, 2 * PAGE, READ_WRITE, MAP_SHARED, object, 0);
        expectBus(mapping.first(), () -> space.load(mapping.first(), 8));
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> space.load(mapping.first() + PAGE, 8));
        space.unmap(mapping.first(), 2 * PAGE);
    }

    @Test
    void userMemoryCannotBeTouchedFromACallbackThatHoldsTheLock() {
        Mappable object =
                board.spaces.object(
                        "curious",
                        MappableKind.FRAMES,
                        new Zeros() {
                            @Override
                            public void mapped(CpuMapping mapping) {
                                space.load(mapping.first(), 8);
                            }
                        });
        assertThatIllegalStateException()
                .isThrownBy(() -> space.map(0, PAGE, PROT_READ, MAP_SHARED, object, 0))
                .withMessageContaining("callback");
        assertThat(space.mappings()).isEmpty();
    }

    @Test
    void aRetiredObjectIsABusErrorForEverAndIsNeverAskedAgain() {
        Exporter exporter = new Exporter(board, MappableKind.PAGES, 1);
        CpuMapping mapping = exporter.map(space, READ_WRITE);
        space.store(mapping.first(), 8, 1);
        exporter.calls.clear();
        exporter.close();
        exporter.object.retire();
        expectBus(mapping.first(), () -> space.load(mapping.first(), 8));
        expect(Errno.ENODEV, () -> exporter.map(space, READ_WRITE));
        space.unmap(mapping.first(), PAGE);
        assertThat(exporter.calls).isEmpty();
    }

    @Test
    void unmapRangeChecksItsRange() {
        try (Exporter exporter = new Exporter(board, MappableKind.PAGES, 1)) {
            expect(Errno.EINVAL, () -> exporter.object.unmapRange(-1, 5));
            expect(Errno.EINVAL, () -> exporter.object.unmapRange(0, -5));
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            space.load(mapping.first(), 1);
            exporter.object.unmapRange(4095, 1);
            assertThat(space.entry(mapping.first())).isZero();
            expect(Errno.EINVAL, () -> mapping.zap(mapping.first() + 1, PAGE));
        }
    }

    /** Has nothing anywhere. */
    private static class Zeros implements MappingOperations {
        @Override
        public FaultResult fault(Fault fault) {
            return FaultResult.BUS_ERROR;
        }
    }
}
