package org.peerlane.bus.pcie.config;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/** Process address spaces; its control does not change while ATS is on (IM-16). */
public final class Pasid extends Capability {
    private static final RegisterMap<PasidRegister> MAP = new RegisterMap<>(PasidRegister.class, 8);

    private final int control;
    private @Nullable Ats ats;

    Pasid(CapabilityChain chain, CapabilityLayout.Pasid layout) {
        super(chain, CapabilityId.PASID, 8);
        control = at() + 4;
        define(MAP);
        preset(PasidRegister.CAPABILITY, PasidRegister.WIDTH, layout.width());
        preset(PasidRegister.CAPABILITY, PasidRegister.EXECUTE_SUPPORTED, layout.execute());
        preset(PasidRegister.CAPABILITY, PasidRegister.PRIVILEGED_SUPPORTED, layout.privileged());
        limit(PasidRegister.CONTROL, PasidRegister.EXECUTE, layout.execute() ? 1 : 0);
        limit(PasidRegister.CONTROL, PasidRegister.PRIVILEGED, layout.privileged() ? 1 : 0);
    }

    void lockedBy(@Nullable Ats one) {
        ats = one;
    }

    /** {@return whether requests may have a PASID} */
    public boolean enabled() {
        return (config.dword(control) >>> 16 & 1) != 0;
    }

    /** {@return bits that a PASID has} */
    public int width() {
        return get(PasidRegister.CAPABILITY, PasidRegister.WIDTH);
    }

    /** {@return whether requests may ask for the right to execute} */
    public boolean executeEnabled() {
        return is(PasidRegister.CONTROL, PasidRegister.EXECUTE);
    }

    /** {@return whether requests may be privileged} */
    public boolean privilegedEnabled() {
        return is(PasidRegister.CONTROL, PasidRegister.PRIVILEGED);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (ats != null && ats.enabled()) {
            set(PasidRegister.CONTROL, of(PasidRegister.CONTROL, before));
        }
        return before != config.dword(control) ? Effect.TRANSLATION : 0;
    }
}
