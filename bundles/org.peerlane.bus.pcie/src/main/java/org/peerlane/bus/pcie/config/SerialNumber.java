package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/** The device's serial number. */
public final class SerialNumber extends Capability {
    private static final RegisterMap<SerialNumberRegister> MAP =
            new RegisterMap<>(SerialNumberRegister.class, 12);

    SerialNumber(CapabilityChain chain, CapabilityLayout.SerialNumber layout) {
        super(chain, CapabilityId.DSN, 12);
        define(MAP);
        preset(SerialNumberRegister.SERIAL, SerialNumberRegister.NUMBER, layout.number());
    }
}
