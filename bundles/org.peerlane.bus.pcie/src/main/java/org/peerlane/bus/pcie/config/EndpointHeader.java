package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.registers.RegisterMap;

/** The header of type 0 (PC-9). */
public final class EndpointHeader extends Header {
    private static final RegisterMap<EndpointRegister> MAP =
            new RegisterMap<>(EndpointRegister.class, 0x40);

    EndpointHeader(ConfigSpace config, FunctionLayout layout) {
        super(config, 0);
        define(MAP);
        identity(
                layout.vendorId(),
                layout.deviceId(),
                layout.revision(),
                layout.classCode(),
                layout.interruptPin());
        preset(
                EndpointRegister.SUBSYSTEM_VENDOR,
                EndpointRegister.SUBSYSTEM_VENDOR_ID,
                layout.subsystemVendorId());
        preset(EndpointRegister.SUBSYSTEM, EndpointRegister.SUBSYSTEM_ID, layout.subsystemId());
        if (layout.bars().stream().anyMatch(bar -> bar.io())) {
            takesIo();
        }
    }

    /** A virtual function's: ids are ones, and only bus mastering is its own (PC-35). */
    EndpointHeader(ConfigSpace config, FunctionLayout physical, boolean virtual) {
        super(config, 0);
        define(MAP);
        identity(0xFFFF, 0xFFFF, physical.revision(), physical.classCode(), 0);
        preset(
                EndpointRegister.SUBSYSTEM_VENDOR,
                EndpointRegister.SUBSYSTEM_VENDOR_ID,
                physical.subsystemVendorId());
        preset(EndpointRegister.SUBSYSTEM, EndpointRegister.SUBSYSTEM_ID, physical.subsystemId());
        config.writable(0x04, 2, 0xFFFF, 0x0004);
        config.writable(0x0C, 1, 0xFF, 0);
        config.writable(0x3C, 1, 0xFF, 0);
    }
}
