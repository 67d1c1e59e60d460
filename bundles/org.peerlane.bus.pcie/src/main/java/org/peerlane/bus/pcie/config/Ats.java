package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/** Address translation services (IM-12). */
public final class Ats extends Capability {
    private static final RegisterMap<AtsRegister> MAP = new RegisterMap<>(AtsRegister.class, 8);
    private static final int ENABLE = 1 << 31;

    private final int control;

    Ats(CapabilityChain chain, CapabilityLayout.Ats layout) {
        super(chain, CapabilityId.ATS, 8);
        control = at() + 4;
        define(MAP);
        preset(AtsRegister.CAPABILITY, AtsRegister.QUEUE_DEPTH, layout.queueDepth() & 0x1F);
        preset(AtsRegister.CAPABILITY, AtsRegister.PAGE_ALIGNED, layout.pageAligned());
    }

    /** {@return whether the function may ask for translations and use them} */
    public boolean enabled() {
        return (config.dword(control) & ENABLE) != 0;
    }

    /** {@return bytes of the smallest translation} */
    public long unitBytes() {
        return 0x1000L << get(AtsRegister.CONTROL, AtsRegister.STU);
    }

    /** {@return invalidations that the function can hold} */
    public int queueDepth() {
        int depth = get(AtsRegister.CAPABILITY, AtsRegister.QUEUE_DEPTH);
        return depth == 0 ? 32 : depth;
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        return before != config.dword(control) ? Effect.TRANSLATION : 0;
    }
}
