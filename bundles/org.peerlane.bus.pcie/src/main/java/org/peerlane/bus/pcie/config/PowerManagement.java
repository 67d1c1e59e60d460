package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/** Power management: D0 to D3hot (PC-24 to PC-26). */
public final class PowerManagement extends Capability {
    /** The only state in which BARs decode and requests are sent. */
    public static final int D0 = 0;

    /** Config space answers, nothing else does (PC-25). */
    public static final int D3HOT = 3;

    private static final RegisterMap<PowerManagementRegister> MAP =
            new RegisterMap<>(PowerManagementRegister.class, 8);
    private static final int PMCSR = 4;

    private final int pmcsr;

    /** Bit n: the function has D&lt;n&gt;. */
    private final int states;

    PowerManagement(CapabilityChain chain, CapabilityLayout.PowerManagement layout) {
        super(chain, CapabilityId.PM, 8);
        define(MAP);
        pmcsr = at() + PMCSR;
        states = 1 | (layout.d1() ? 2 : 0) | (layout.d2() ? 4 : 0) | 8;
        preset(PowerManagementRegister.PMC, PowerManagementRegister.D1, layout.d1());
        preset(PowerManagementRegister.PMC, PowerManagementRegister.D2, layout.d2());
        preset(
                PowerManagementRegister.PMC,
                PowerManagementRegister.PME_SUPPORT,
                layout.pmeSupport());
        preset(
                PowerManagementRegister.PMCSR,
                PowerManagementRegister.NO_SOFT_RESET,
                layout.noSoftReset());
        if (layout.pmeSupport() == 0) {
            limit(PowerManagementRegister.PMCSR, PowerManagementRegister.PME_ENABLE, 0);
        }
    }

    /** {@return 0 to 3} */
    public int state() {
        return config.dword(pmcsr) & 3;
    }

    /** {@return whether it is in D0} */
    public boolean awake() {
        return state() == D0;
    }

    /** {@return whether D3hot to D0 keeps everything} */
    public boolean noSoftReset() {
        return is(PowerManagementRegister.PMCSR, PowerManagementRegister.NO_SOFT_RESET);
    }

    /**
     * The device wants to be woken: PME_Status.
     *
     * @return whether a PME message must be sent
     */
    public boolean wake() {
        int bit = 1 << state();
        if ((get(PowerManagementRegister.PMC, PowerManagementRegister.PME_SUPPORT) & bit) == 0) {
            return false;
        }
        set(PowerManagementRegister.PMCSR, PowerManagementRegister.PME_STATUS, 1);
        return is(PowerManagementRegister.PMCSR, PowerManagementRegister.PME_ENABLE);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        int old = before & 3;
        if (dword != PMCSR || state() == old) {
            return 0;
        }
        if ((states >>> state() & 1) == 0) {
            set(PowerManagementRegister.PMCSR, PowerManagementRegister.STATE, old);
            return 0;
        }
        int effects = Effect.POWER | Effect.DECODE | Effect.MASTER | Effect.MESSAGES | Effect.INTX;
        return old == D3HOT && state() == D0 && !noSoftReset()
                ? effects | Effect.POWER_RESET
                : effects;
    }
}
