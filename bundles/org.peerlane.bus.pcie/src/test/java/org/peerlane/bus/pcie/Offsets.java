package org.peerlane.bus.pcie;

/** Where things are in the config space of the function that {@link TestMachine} plugs. */
final class Offsets {
    static final int COMMAND = 0x04;
    static final int COMMAND_BME = 1 << 2;
    static final int STATUS = 0x06;
    static final int BAR0 = 0x10;
    static final int CAPABILITIES = 0x34;
    static final int PMCSR = 0x44;
    static final int D0 = 0;
    static final int D3HOT = 3;
    static final int MSI_CONTROL = 0x4A;
    static final int MSI_ENABLE = 1;
    static final int MSI_ADDRESS = 0x4C;
    static final int MSI_DATA = 0x54;
    static final int MSI_MASK = 0x58;
    static final int MSI_PENDING = 0x5C;
    static final int EXPRESS = 0x60;
    static final int DEVCTL = EXPRESS + 8;
    static final int DEVCTL_FLR = 1 << 15;

    private Offsets() {}
}
