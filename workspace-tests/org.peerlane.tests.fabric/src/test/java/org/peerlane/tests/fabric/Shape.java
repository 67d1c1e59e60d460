package org.peerlane.tests.fabric;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;

/** A device of BARs only; every register reads as the number of its BAR, plus one. */
final class Shape implements DeviceModel {
    final DeviceSlot slot;
    private final List<BarLayout> bars;
    private final CapabilityLayout[] more;

    Shape(DeviceSlot slot, List<BarLayout> bars, CapabilityLayout... more) {
        this.slot = slot;
        this.bars = bars;
        this.more = more;
    }

    /** One of the shape that the slot's options {@code seed} and {@code most} say. */
    static Shape ofOptions(DeviceSlot slot) {
        long seed = ((Number) slot.options().get("seed")).longValue();
        int most = ((Number) slot.options().getOrDefault("most", 40)).intValue();
        return new Shape(slot, bars(seed, most));
    }

    /** {@return BARs of every kind, of 128 bytes to 256 KiB below 4 GiB, to 2^most above} */
    static List<BarLayout> bars(long seed, int most) {
        Random random = new Random(seed);
        List<BarLayout> bars = new ArrayList<>();
        int index = 0;
        while (index < 6 && random.nextInt(3) != 0) {
            boolean wide = index < 5 && random.nextBoolean();
            boolean prefetchable = random.nextBoolean();
            // below 4 GiB there is room for about 1000 MiB on the whole board
            int past = wide && prefetchable ? most + 1 : 19;
            long bytes = 1L << 7 + random.nextInt(past - 7);
            bars.add(BarLayout.registers(index, bytes, wide, prefetchable));
            index += wide ? 2 : 1;
        }
        return bars;
    }

    @Override
    public FunctionLayout layout() {
        FunctionLayout.Builder layout =
                FunctionLayout.of(0x1234, 0x0002, 0x00FF00).with(CapabilityLayout.Express.plain());
        bars.forEach(layout::bar);
        for (CapabilityLayout one : more) {
            layout.with(one);
        }
        return layout.build();
    }

    @Override
    public long read(int bar, long offset, int bytes) {
        return bar + 1;
    }

    @Override
    public void write(int bar, long offset, int bytes, long value) {}

    @Override
    public void reset(ResetKind kind) {}

    @Override
    public void close() {}
}
