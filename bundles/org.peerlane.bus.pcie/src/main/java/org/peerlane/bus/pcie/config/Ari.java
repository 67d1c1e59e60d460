package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/** Alternative routing-id interpretation: the list of functions of one device. */
public final class Ari extends Capability {
    private static final RegisterMap<AriRegister> MAP = new RegisterMap<>(AriRegister.class, 8);

    Ari(CapabilityChain chain, CapabilityLayout.Ari layout) {
        super(chain, CapabilityId.ARI, 8);
        define(MAP);
        preset(AriRegister.CAPABILITY, AriRegister.NEXT_FUNCTION, layout.nextFunction());
    }

    /** {@return the next function's number; 0: none} */
    public int nextFunction() {
        return get(AriRegister.CAPABILITY, AriRegister.NEXT_FUNCTION);
    }
}
