package org.peerlane.bus.pcie.config;

import org.peerlane.registers.RegisterMap;

/** Function-level reset of a function without the Express capability (PC-61). */
public final class AdvancedFeatures extends Capability {
    private static final RegisterMap<AdvancedFeaturesRegister> MAP =
            new RegisterMap<>(AdvancedFeaturesRegister.class, 6);

    AdvancedFeatures(CapabilityChain chain) {
        super(chain, CapabilityId.AF, 6);
        define(MAP);
    }

    /** Says whether requests of the function are outstanding. */
    public void pending(boolean outstanding) {
        set(AdvancedFeaturesRegister.STATUS, AdvancedFeaturesRegister.PENDING, outstanding);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        boolean hit = hit(AdvancedFeaturesRegister.CONTROL, dword, lanes);
        return hit && (of(AdvancedFeaturesRegister.CONTROL, x) & 1) != 0 ? Effect.FLR : 0;
    }
}
