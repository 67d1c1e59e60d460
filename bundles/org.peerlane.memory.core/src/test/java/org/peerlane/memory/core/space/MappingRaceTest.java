package org.peerlane.memory.core.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.memory.core.space.Board.PAGE;
import static org.peerlane.memory.core.space.Board.READ_WRITE;
import static org.peerlane.memory.core.space.Board.anonymous;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.PinnedPages;
import org.peerlane.memory.api.RegisterAccess;
import org.peerlane.memory.api.SegmentationFault;
import org.peerlane.memory.api.Window;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** Each test goes red when the guard it names is taken out. */
@DisplayName("Mappings under every schedule")
class MappingRaceTest {
    private static final int MIB = 2; // of it one is reserved

    private static EmulatedThread start(Execution execution, String name, Runnable body) {
        return execution.start(ThreadKind.BLOCKING, name, body);
    }

    /** Guards: the flush of a zap; the exporter's lock around check and insertion. */
    @Rule("RK-24")
    @Explore(schedules = 10_000)
    void afterARevokeNoStoreReachesTheOldPage(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB);
                Exporter exporter = new Exporter(board, MappableKind.FRAMES, 1)) {
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            EmulatedThread cpu =
                    start(
                            execution,
                            "cpu",
                            () -> {
                                try {
                                    for (int i = 1; i <= 3; i++) {
                                        space.store(mapping.first(), 8, i);
                                    }
                                } catch (BusError expected) {
                                    assertThat(mapping.isAlive()).isTrue();
                                }
                            });
            execution.sleep(0);
            exporter.revoke();
            board.poke(exporter.pages[0], -1); // somebody else's from now on
            cpu.join();
            assertThat(board.peek(exporter.pages[0])).isEqualTo(-1);
            space.close();
        }
    }

    /** Guards: the flush when other bytes are behind registers; the look at what is there now. */
    @Explore(schedules = 10_000)
    void whatIsNotBehindRegistersAnyMoreIsReachedByNobody(Execution execution)
            throws InterruptedException {
        long bar = 0xC000_0000L;
        try (Board board = new Board(execution, MIB)) {
            MemorySegment bytes = Arena.ofAuto().allocate(PAGE, PAGE);
            DeviceMemory device =
                    board.spaces.provide(
                            "gpu",
                            AddressRange.ofLength(new PhysicalAddress(bar), PAGE),
                            new RegisterAccess() {
                                @Override
                                public long read(long physical, int width) {
                                    return 0;
                                }

                                @Override
                                public void write(long physical, int width, long value) {}
                            });
            Mappable object =
                    board.spaces.object(
                            "bar",
                            MappableKind.FRAMES,
                            fault -> {
                                fault.insert(fault.address(), bar, PAGE, true);
                                return FaultResult.DONE;
                            });
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping = space.map(0, PAGE, READ_WRITE, AddressSpace.MAP_SHARED, object, 0);
            device.back(bytes);
            space.store(mapping.first(), 8, 0); // faulted in
            EmulatedThread cpu =
                    start(
                            execution,
                            "cpu",
                            () -> {
                                space.write(mapping.first(), Board.bytes(1), 0, 1);
                                try {
                                    MemorySegment view =
                                            mapping.window(mapping.first(), true).segment();
                                    execution.sleep(0);
                                    view.set(ValueLayout.JAVA_LONG, 0, 2);
                                } catch (BusError | IllegalStateException closed) {
                                    assertThat(mapping.isAlive()).isTrue();
                                } catch (InterruptedException e) {
                                    throw new AssertionError(e);
                                }
                            });
            execution.sleep(0);
            device.back(null);
            bytes.set(ValueLayout.JAVA_LONG, 0, -1);
            cpu.join();
            assertThat(bytes.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(-1);
            space.close();
            device.close();
        }
    }

    /** Guards: the flush; the look at retirement under the page table's lock. */
    @Explore(schedules = 10_000)
    void afterAnObjectHasRetiredNothingIsInserted(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB)) {
            Exporter exporter = new Exporter(board, MappableKind.PAGES, 1);
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            EmulatedThread cpu =
                    start(
                            execution,
                            "cpu",
                            () -> {
                                try {
                                    space.store(mapping.first(), 8, 1);
                                } catch (BusError expected) {
                                    assertThat(mapping.isAlive()).isTrue();
                                }
                            });
            execution.sleep(0);
            exporter.object.retire();
            assertThat(space.entry(mapping.first())).isZero();
            assertThat(board.spaces.pages().count(exporter.pages[0])).isOne();
            board.poke(exporter.pages[0], -1);
            cpu.join();
            assertThat(space.entry(mapping.first())).isZero();
            assertThat(board.peek(exporter.pages[0])).isEqualTo(-1);
            exporter.close();
        }
    }

    /** Guards: the look at the entry when a copy takes its place. */
    @Explore(schedules = 10_000)
    void aCopyOnWriteIsOfWhatWasThere(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB);
                Exporter exporter = new Exporter(board, MappableKind.FRAMES, 1)) {
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping =
                    space.map(0, PAGE, READ_WRITE, ProcessSpace.MAP_PRIVATE, exporter.object, 0);
            EmulatedThread cpu =
                    start(
                            execution,
                            "cpu",
                            () -> {
                                try {
                                    space.store(mapping.first(), 8, 1);
                                    long value = space.load(mapping.first() + 8, 8);
                                    assertThat(value).isZero(); // never another's
                                } catch (BusError expected) {
                                    assertThat(mapping.isAlive()).isTrue();
                                }
                            });
            execution.sleep(0);
            exporter.revoke();
            board.poke(exporter.pages[0] + 8, -1); // somebody else's from now on
            cpu.join();
            assertThat(cpu.failure()).isEmpty();
            assertThat(space.entry(mapping.first())).as("after a revoke").isZero();
            space.close();
        }
    }

    /** Guards: the flush of an unmap; the mmap lock around a fault. */
    @Explore(schedules = 10_000)
    void afterAnUnmapThePageIsSomebodyElses(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB)) {
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping = anonymous(space, 1);
            long at = mapping.first();
            EmulatedThread cpu =
                    start(
                            execution,
                            "cpu",
                            () -> {
                                try {
                                    for (int i = 1; i <= 2; i++) {
                                        space.store(at, 8, i);
                                    }
                                } catch (SegmentationFault expected) {
                                    assertThat(expected.address()).isEqualTo(at);
                                }
                            });
            long[] taken = new long[8]; // the pages that served it are among these
            EmulatedThread other =
                    start(
                            execution,
                            "other",
                            () -> {
                                take(board, taken, 0);
                                take(board, taken, 1);
                            });
            execution.sleep(0);
            space.unmap(at, PAGE);
            other.join();
            assertThat(board.used()).as("its root table, and what was taken").isEqualTo(3);
            for (int i = 2; i < taken.length; i++) {
                take(board, taken, i);
            }
            cpu.join();
            for (long page : taken) {
                assertThat(board.peek(page)).isEqualTo(-1);
                board.memory.pages().free(page, 0);
            }
        }
    }

    private static void take(Board board, long[] taken, int i) {
        taken[i] = board.memory.pages().allocate(0);
        board.poke(taken[i], -1);
    }

    /** Guard: the second of two faults finds the entry of the first. */
    @Explore(schedules = 10_000)
    void twoFaultsForOnePageGiveOnePage(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB)) {
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            long at = anonymous(space, 1).first();
            EmulatedThread one = start(execution, "one", () -> space.store(at, 8, 1));
            EmulatedThread two = start(execution, "two", () -> space.store(at + 8, 8, 2));
            one.join();
            two.join();
            assertThat(space.load(at, 8)).isOne();
            assertThat(space.load(at + 8, 8)).isEqualTo(2);
            assertThat(board.used()).isEqualTo(1 + space.tablePages());
        }
    }

    /** Guards: the close of windows by a zap; the answer to a view that closes meanwhile. */
    @Explore(schedules = 10_000)
    void aReaderOfAWindowGetsOldBytesOrABusError(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB);
                Exporter exporter = new Exporter(board, MappableKind.FRAMES, 1)) {
            board.poke(exporter.pages[0], 0x11);
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            EmulatedThread reader =
                    start(
                            execution,
                            "reader",
                            () -> {
                                byte[] one = new byte[1];
                                try {
                                    Window window = mapping.window(mapping.first(), false);
                                    for (int i = 0; i < 3; i++) {
                                        window.read(0, MemorySegment.ofArray(one), 0, 1);
                                        assertThat(one[0]).isEqualTo((byte) 0x11);
                                    }
                                } catch (BusError expected) {
                                    assertThat(mapping.isAlive()).isTrue();
                                }
                            });
            execution.sleep(0);
            exporter.revoke();
            board.poke(exporter.pages[0], 0x22);
            reader.join();
            space.close();
        }
    }

    /** Guard: a pin holds the page before the page table's lock is let go. */
    @Explore(schedules = 10_000)
    void aPinHoldsThePageOrFindsNoMapping(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB)) {
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping = anonymous(space, 2);
            space.store(mapping.first(), 8, 7);
            AtomicInteger pins = new AtomicInteger();
            EmulatedThread driver =
                    start(
                            execution,
                            "driver",
                            () -> {
                                try {
                                    PinnedPages pinned = space.pin(mapping.first(), 2 * PAGE, 1);
                                    assertThat(board.peek(pinned.physical(0))).isEqualTo(7);
                                    assertThat(board.spaces.pages().pins(pinned.physical(1)))
                                            .isOne();
                                    pinned.unpin(true);
                                    pins.incrementAndGet();
                                } catch (ErrnoException refused) {
                                    assertThat(refused.errno()).isEqualTo(Errno.EFAULT);
                                }
                            });
            execution.sleep(0);
            space.unmap(mapping.first(), 2 * PAGE);
            driver.join();
            assertThat(board.used()).isEqualTo(space.tablePages());
            assertThat(pins.get()).isBetween(0, 1);
        }
    }

    /** Guard: a mapping leaves its object before its tables go. */
    @Explore(schedules = 10_000)
    void aZapAndAnUnmapOfOneMappingBothEnd(Execution execution) throws InterruptedException {
        try (Board board = new Board(execution, MIB);
                Exporter exporter = new Exporter(board, MappableKind.PAGES, 2)) {
            ProcessSpace space = (ProcessSpace) board.spaces.create("cat");
            CpuMapping mapping = exporter.map(space, READ_WRITE);
            space.store(mapping.first(), 8, 1);
            space.store(mapping.first() + PAGE, 8, 1);
            EmulatedThread mover = start(execution, "mover", exporter::revoke);
            EmulatedThread cpu =
                    start(
                            execution,
                            "cpu",
                            () -> {
                                try {
                                    space.load(mapping.first() + PAGE, 8);
                                } catch (BusError | SegmentationFault expected) {
                                    assertThat(expected.isWrite()).isFalse();
                                }
                            });
            space.unmap(mapping.first(), PAGE);
            space.unmap(mapping.first() + PAGE, PAGE);
            mover.join();
            cpu.join();
            assertThat(space.tablePages()).isOne();
            assertThat(board.spaces.pages().count(exporter.pages[1])).isOne();
        }
    }
}
