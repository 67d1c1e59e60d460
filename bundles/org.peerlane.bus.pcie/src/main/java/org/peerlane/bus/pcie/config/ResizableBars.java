package org.peerlane.bus.pcie.config;

import java.util.List;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/**
 * The resizable BARs of a function (PC-37). A size that is not offered, or one written while memory
 * decode is on, leaves the size that was there. {@link BarRegisters#reset} takes the sizes back.
 */
public final class ResizableBars extends Capability {
    private static final RegisterMap<ResizableBarRegister> MAP =
            new RegisterMap<>(ResizableBarRegister.class, 8);
    private static final int HEADER_BYTES = 4;
    private static final int ENTRY_BYTES = 8;
    private static final int SMALLEST_LG2 = 20;
    private static final int OFFERED_FROM_LG2 = 16; // bit n of the capability is 2^(n+16)

    private final List<CapabilityLayout.ResizableBar> layouts;
    private final BarRegisters bars;
    private final Header header;

    ResizableBars(
            CapabilityChain chain,
            List<CapabilityLayout.ResizableBar> layouts,
            Header header,
            BarRegisters bars) {
        super(chain, CapabilityId.RESIZABLE_BAR, HEADER_BYTES + layouts.size() * ENTRY_BYTES);
        this.layouts = layouts;
        this.header = header;
        this.bars = bars;
        for (int i = 0; i < layouts.size(); i++) {
            Entry entry = new Entry(config, at() + HEADER_BYTES + i * ENTRY_BYTES);
            CapabilityLayout.ResizableBar layout = layouts.get(i);
            int size = Long.numberOfTrailingZeros(bars.bytes(layout.bar())) - SMALLEST_LG2;
            entry.define(layout, size, i == 0 ? layouts.size() : 0);
        }
    }

    private static final class Entry extends ConfigBlock {
        Entry(ConfigSpace config, int at) {
            super(config, at);
        }

        void define(CapabilityLayout.ResizableBar layout, int size, int entries) {
            define(MAP);
            preset(
                    ResizableBarRegister.CAPABILITY,
                    ResizableBarRegister.SIZES,
                    layout.sizes() >>> OFFERED_FROM_LG2 + 4);
            preset(ResizableBarRegister.CONTROL, ResizableBarRegister.BAR, layout.bar());
            preset(ResizableBarRegister.CONTROL, ResizableBarRegister.ENTRIES, entries);
            preset(ResizableBarRegister.CONTROL, ResizableBarRegister.SIZE, size);
        }
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        int control = dword - HEADER_BYTES - ResizableBarRegister.CONTROL.offset();
        if (control < 0 || control % ENTRY_BYTES != 0) {
            return 0;
        }
        int now = config.dword(at() + dword);
        CapabilityLayout.ResizableBar layout = layouts.get(control / ENTRY_BYTES);
        long bytes = 1L << SMALLEST_LG2 + (int) ResizableBarRegister.SIZE.get(now);
        if (now == before) {
            return 0;
        }
        if (header.memory() || (layout.sizes() & bytes) == 0) {
            config.set(at() + dword, 4, before);
            return 0;
        }
        bars.resize(layout.bar(), bytes);
        return Effect.DECODE;
    }
}
