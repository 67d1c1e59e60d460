package org.peerlane.tests.fabric;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;

/**
 * A card: BAR 0 registers of 4 KiB, BAR 2 memory of 64 KiB, BAR 4 the table of two MSI-X vectors.
 * It has engines that a test gives it; a reset and the close wait for them, as silicon does.
 */
final class Card implements DeviceModel {
    static final int VRAM = 0x1_0000;

    final DeviceSlot slot;
    final MemorySegment vram;
    final List<ResetKind> resets = Collections.synchronizedList(new ArrayList<>());
    private final List<CapabilityLayout> more;
    private final Checkpoint resetting;
    private final List<EmulatedThread> engines = Collections.synchronizedList(new ArrayList<>());
    volatile boolean stopping;
    volatile boolean closed;

    /** What the bus did to it that no silicon would stand; null: nothing. */
    volatile @Nullable String wrong;

    private volatile boolean inReset;

    Card(DeviceSlot slot, MemorySegment vram, List<CapabilityLayout> more) {
        this.vram = vram;
        this.slot = slot;
        this.more = more;
        resetting = slot.execution().checkpoint("test.card.resetting");
    }

    /** Keeps the cards it has made, by the order of the slots. */
    static final class Type implements DeviceType {
        final List<Card> made = Collections.synchronizedList(new ArrayList<>());
        private final List<CapabilityLayout> more;
        private volatile boolean offHeap;

        /** Makes cards with more capabilities than all have. */
        Type(CapabilityLayout... more) {
            this.more = List.of(more);
        }

        /** Cards that are made from now on have memory outside of the heap. */
        void offHeap() {
            offHeap = true;
        }

        @Override
        public DeviceModel create(DeviceSlot slot) {
            MemorySegment vram =
                    offHeap
                            ? Arena.ofAuto().allocate(VRAM, 4096)
                            : MemorySegment.ofArray(new byte[VRAM]);
            Card card = new Card(slot, vram, more);
            made.add(card);
            return card;
        }
    }

    @Override
    public FunctionLayout layout() {
        FunctionLayout.Builder layout =
                FunctionLayout.of(0x1234, 0x0001, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .bar(new BarLayout(2, VRAM, true, true, vram))
                        .bar(BarLayout.registers(4, 0x2000, false, false))
                        .with(new CapabilityLayout.PowerManagement(false, false, false, 0))
                        .with(CapabilityLayout.MsiX.in(4, 2))
                        .with(CapabilityLayout.Express.plain())
                        .with(new CapabilityLayout.Aer());
        more.forEach(layout::with);
        return layout.build();
    }

    /** Starts an engine of the card's. */
    EmulatedThread engine(Runnable body) {
        EmulatedThread engine =
                slot.execution().start(ThreadKind.BLOCKING, slot.name() + ".engine", body);
        engines.add(engine);
        return engine;
    }

    /** {@return the packed answer of a write of {@code bytes} times {@code value}} */
    long write(long address, int value, int bytes) {
        byte[] data = new byte[bytes];
        Arrays.fill(data, (byte) value);
        return slot.dma().write(address, 0, MemorySegment.ofArray(data), 0, bytes);
    }

    /** {@return the status of a write} */
    int writeStatus(long address, int value, int bytes) {
        return DmaResult.status(write(address, value, bytes));
    }

    /** {@return the status of a read into {@code to}} */
    int read(long address, byte[] to) {
        return DmaResult.status(
                slot.dma().read(address, 0, MemorySegment.ofArray(to), 0, to.length));
    }

    @Override
    public long read(int bar, long offset, int bytes) {
        return 0;
    }

    @Override
    public void write(int bar, long offset, int bytes, long value) {}

    @Override
    public void reset(ResetKind kind) {
        if (inReset) {
            wrong = "two resets at once";
        }
        inReset = true;
        stop();
        resetting.reached();
        if (writeStatus(0, 0, 1) != DmaResult.GONE) {
            wrong = "it may send while it is reset";
        }
        inReset = false;
        stopping = false;
        resets.add(kind);
    }

    @Override
    public void close() {
        stop();
        closed = true;
    }

    private void stop() {
        stopping = true;
        for (EmulatedThread engine : List.copyOf(engines)) {
            Rig.join(engine);
        }
        engines.clear();
    }
}
