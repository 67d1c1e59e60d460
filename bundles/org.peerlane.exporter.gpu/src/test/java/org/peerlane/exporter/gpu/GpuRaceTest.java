package org.peerlane.exporter.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** Each test goes red when the guard that it has is taken out. */
@DisplayName("A GPU's buffers under every schedule")
class GpuRaceTest {
    private static final int BYTES = 0x2000;
    private static final long MOST = (1 << 20) - 0x2000; // of the VRAM, so that others leave
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final int ITS = 0xEE;

    /** One for all schedules: making its file costs more than a schedule. */
    private static final SparseMemory RAM = new SparseMemory(new LiveExecution("ram"), 16);

    /** Two cards of 1 MiB below a switch that lets them reach each other. */
    private static final class Cards implements AutoCloseable {
        final Execution execution;
        final long free = RAM.pages().freePages();
        final GpuMachine machine;
        final Card gpu;
        final Card other;

        Cards(Execution execution) {
            this.execution = execution;
            machine = new GpuMachine(execution, RAM);
            gpu = machine.plug("gpu0", 0, 1, 0, false);
            other = machine.plug("gpu1", 1, 1, 0, false);
            machine.direct();
        }

        EmulatedThread thread(String name, Runnable body) {
            return execution.start(ThreadKind.BLOCKING, name, body);
        }

        /** Everything comes back once. */
        @Override
        public void close() {
            assertThat(machine.machine().violations()).isEmpty();
            machine.close();
            assertThat(gpu.memory().getFirst().used()).as("VRAM").isEqualTo(4096);
            assertThat(other.memory().getFirst().used()).as("VRAM").isEqualTo(4096);
            assertThat(RAM.pages().freePages()).as("pages").isEqualTo(free);
        }
    }

    private static void join(EmulatedThread thread) {
        thread.joinUninterruptibly();
        thread.failure()
                .ifPresent(thrown -> {
                    throw new AssertionError(thread.name() + ": " + thrown, thrown);
                });
    }

    /** {@return a buffer of zeros on a card} */
    private static GpuBuffer buffer(Card card, long bytes) {
        return card.allocate(GpuAllocation.of(bytes));
    }

    /** Does something with a DMA-BUF of a buffer that the other card has taken in. */
    private static void shared(Cards cards, GpuBuffer buffer, Consumer<GpuBuffer> action) {
        DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
        try (GpuBuffer taken = cards.other.importBuffer(shared)) {
            action.accept(taken);
        } finally {
            shared.put();
        }
    }

    /** What a peer writes is there, wherever the buffer was meanwhile, and nowhere else. */
    @Explore(schedules = 10_000)
    @Rule("GX-3")
    @Rule("GX-4")
    @Rule("GX-10")
    @Rule("DY-11")
    @Rule("dma-buf:T-12")
    void aPeersBytesGoWhereTheBufferIsThoughItIsEvicted(Execution execution) {
        try (Cards cards = new Cards(execution);
                GpuBuffer buffer = buffer(cards.gpu, BYTES);
                GpuBuffer source = buffer(cards.other, BYTES)) {
            shared(
                    cards,
                    buffer,
                    taken -> {
                        EmulatedThread peer =
                                cards.thread(
                                        "peer",
                                        () -> {
                                            for (int i = 1; i <= 3; i++) {
                                                source.fill(0, BYTES, i).put();
                                                GpuMachine.done(source.copyTo(0, taken, 0, BYTES));
                                            }
                                        });
                        GpuBuffer large = buffer(cards.gpu, MOST);
                        GpuMachine.done(large.fill(0, MOST, ITS));
                        join(peer);
                        for (long at = 0; at < MOST; at += 0x1000) {
                            if (cards.machine.word(large, at) != ITS) {
                                throw new AssertionError("a peer's bytes at 0x%x".formatted(at));
                            }
                        }
                        large.close();
                        assertThat(cards.machine.word(buffer, 0)).isEqualTo(3);
                        assertThat(cards.machine.word(buffer, BYTES - 4)).isEqualTo(3);
                    });
        }
    }

    /** A reset takes the VRAM from peers first: none of their work fails, or reads what is none. */
    @Explore(schedules = 10_000)
    @Rule("RK-3")
    @Rule("DY-13")
    void aPeerIsStoppedBeforeAReset(Execution execution) {
        try (Cards cards = new Cards(execution);
                GpuBuffer buffer = buffer(cards.gpu, BYTES);
                GpuBuffer sink = buffer(cards.other, BYTES)) {
            GpuMachine.done(buffer.fill(0, BYTES, 1));
            shared(
                    cards,
                    buffer,
                    taken -> {
                        EmulatedThread peer =
                                cards.thread(
                                        "peer",
                                        () -> {
                                            for (int i = 0; i < 3; i++) {
                                                read(cards, taken, sink);
                                            }
                                        });
                        cards.gpu.reset();
                        join(peer);
                        assertThat(buffer.losses()).isEqualTo(1);
                        GpuMachine.done(buffer.fill(0, BYTES, 2));
                        GpuMachine.done(taken.copyTo(0, sink, 0, BYTES));
                        assertThat(cards.machine.word(sink, 0)).isEqualTo(2);
                    });
        }
    }

    private static void read(Cards cards, GpuBuffer taken, GpuBuffer sink) {
        try {
            GpuMachine.done(taken.copyTo(0, sink, 0, BYTES));
            assertThat(cards.machine.word(sink, 0)).as("before, or after").isIn(0, 1);
        } catch (ErrnoException e) {
            assertThat(e.errno()).as(e.getMessage()).isEqualTo(Errno.ENODEV);
        }
    }

    /** No store of a process is lost: others see it at once. */
    @Explore(schedules = 10_000)
    @Rule("GX-3")
    void aProcessStoresWhereTheBufferIs(Execution execution) {
        try (Cards cards = new Cards(execution);
                GpuBuffer buffer = buffer(cards.gpu, BYTES);
                AddressSpace process = cards.machine.spaces.create("user")) {
            CpuMapping mapping = buffer.mmap(process, 0, BYTES, RW, AddressSpace.MAP_SHARED, 0);
            EmulatedThread cpu =
                    cards.thread(
                            "cpu",
                            () -> {
                                for (int i = 1; i <= 4; i++) {
                                    process.store(mapping.first() + 4, 4, i);
                                    assertThat(cards.machine.word(buffer, 4))
                                            .as("for another process")
                                            .isEqualTo(i);
                                }
                            });
            buffer.move(Placement.GTT);
            buffer.move(Placement.VRAM);
            join(cpu);
            assertThat(process.load(mapping.first() + 4, 4)).isEqualTo(4);
        }
    }

    /** Whoever is last, the memory comes back once. */
    @Explore(schedules = 10_000)
    @Rule("GX-2")
    @Rule("GX-5")
    void theLastOfHandleDmaBufAndEvictionFreesOnce(Execution execution) {
        try (Cards cards = new Cards(execution)) {
            GpuBuffer buffer = buffer(cards.gpu, BYTES);
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            EmulatedThread evictor = cards.thread("evictor", cards.gpu::evict);
            EmulatedThread exporter =
                    cards.thread(
                            "exporter",
                            () -> {
                                try {
                                    buffer.export(ExportInfo.O_RDWR).put();
                                } catch (ErrnoException e) {
                                    assertThat(e.errno()).isEqualTo(Errno.EBADF);
                                }
                            });
            EmulatedThread user =
                    cards.thread(
                            "user",
                            () -> {
                                try {
                                    buffer.fill(0, BYTES, 1).put();
                                } catch (ErrnoException e) {
                                    assertThat(e.errno()).isIn(Errno.EBADF, Errno.ENODEV);
                                }
                            });
            shared.put();
            buffer.close();
            join(evictor);
            join(exporter);
            join(user);
        }
    }

    /** The card goes from under everybody: all calls and all work end, and nothing is left. */
    @Explore(schedules = 10_000)
    @Rule("RK-14")
    @Rule("FE-40")
    void aCardThatLeavesEndsWhatIsUnderWay(Execution execution) {
        try (Cards cards = new Cards(execution);
                GpuBuffer sink = buffer(cards.other, BYTES)) {
            GpuBuffer buffer = buffer(cards.gpu, BYTES);
            shared(
                    cards,
                    buffer,
                    taken -> {
                        EmulatedThread peer =
                                cards.thread("peer", () -> untilRefused(() -> copy(taken, sink)));
                        EmulatedThread mover =
                                cards.thread(
                                        "mover",
                                        () ->
                                                untilRefused(() -> {
                                                    buffer.move(Placement.GTT);
                                                    buffer.move(Placement.VRAM);
                                                }));
                        PcieFunction function = cards.gpu.function();
                        cards.machine.root.unbindDriver(function);
                        join(peer);
                        join(mover);
                        DmaBuf was = taken.export(ExportInfo.O_RDWR);
                        assertThat(was.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
                        was.put();
                    });
            buffer.close();
        }
    }

    private static void copy(GpuBuffer from, GpuBuffer to) {
        Fence fence = from.copyTo(0, to, 0, BYTES);
        fence.waitTimeout(false, Long.MAX_VALUE);
        fence.put();
    }

    private static void untilRefused(Runnable action) {
        try {
            for (int i = 0; i < 4; i++) {
                action.run();
            }
        } catch (ErrnoException e) {
            assertThat(e.errno()).as(e.getMessage()).isIn(Errno.ENODEV, Errno.ECANCELED);
        }
    }

    /** Two that take in from each other, copy both ways and move do not wait in a circle. */
    @Explore(schedules = 10_000)
    @Rule("DY-51")
    @Rule("RV-2")
    void cardsThatUseEachOthersMemoryDoNotWaitInACircle(Execution execution) {
        try (Cards cards = new Cards(execution);
                GpuBuffer one = buffer(cards.gpu, BYTES);
                GpuBuffer two = buffer(cards.other, BYTES)) {
            DmaBuf first = one.export(ExportInfo.O_RDWR);
            DmaBuf second = two.export(ExportInfo.O_RDWR);
            try (GpuBuffer there = cards.other.importBuffer(first);
                    GpuBuffer here = cards.gpu.importBuffer(second)) {
                GpuMachine.done(one.fill(0, BYTES, 1));
                GpuMachine.done(two.fill(0, BYTES, 1));
                EmulatedThread left =
                        cards.thread("left", () -> GpuMachine.done(there.copyTo(0, two, 0, BYTES)));
                EmulatedThread right =
                        cards.thread("right", () -> GpuMachine.done(here.copyTo(0, one, 0, BYTES)));
                EmulatedThread mover = cards.thread("mover", () -> two.move(Placement.GTT));
                one.move(Placement.GTT);
                join(left);
                join(right);
                join(mover);
                assertThat(cards.machine.word(one, BYTES - 4)).isEqualTo(1);
                assertThat(cards.machine.word(two, BYTES - 4)).isEqualTo(1);
            } finally {
                first.put();
                second.put();
            }
        }
    }
}
