package org.peerlane.bus.pcie.config;

import org.peerlane.registers.RegisterMap;

/** What a root port has for the hierarchy below it. */
public final class RootControl extends ConfigBlock {
    private static final RegisterMap<RootRegister> MAP =
            new RegisterMap<>(RootRegister.class, 0x3C);

    RootControl(ConfigSpace config, int express) {
        super(config, express);
        define(MAP);
    }

    /** {@return whether software sees that a function is not ready yet (PC-5)} */
    public boolean retriesVisible() {
        return is(RootRegister.RTCTL, RootRegister.RRS_VISIBLE);
    }

    /**
     * A function below wants to be woken. A second one before software has seen the first waits in
     * the pending bit, without its id.
     *
     * @param requesterId of the function
     * @return whether an interrupt must be sent
     */
    public boolean pme(int requesterId) {
        if (is(RootRegister.RTSTA, RootRegister.PME)) {
            set(RootRegister.RTSTA, RootRegister.PME_PENDING, 1);
            return false;
        }
        set(RootRegister.RTSTA, RootRegister.PME_REQUESTER, requesterId & 0xFFFF);
        set(RootRegister.RTSTA, RootRegister.PME, 1);
        return is(RootRegister.RTCTL, RootRegister.PME_INTERRUPT);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (dword == RootRegister.RTSTA.offset() && !is(RootRegister.RTSTA, RootRegister.PME)) {
            set(RootRegister.RTSTA, RootRegister.PME_PENDING, 0);
        }
        return 0;
    }
}
