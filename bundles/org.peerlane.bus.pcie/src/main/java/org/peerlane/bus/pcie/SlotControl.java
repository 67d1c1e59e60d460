package org.peerlane.bus.pcie;

/**
 * What the operating system writes into the slot registers of a hot-plug port (PC-69, PC-70).
 * Kernel counterpart: {@code pciehp_hpc.c}.
 */
final class SlotControl {
    /** The power indicator is on. */
    static final int ON = 1;

    /** The power indicator blinks. */
    static final int BLINKS = 2;

    /** The power indicator is off. */
    static final int OFF = 3;

    private static final int EXPRESS = 0x10;
    private static final int CONTROL = 0x18;
    private static final int STATUS = 0x1A;
    private static final int INDICATOR_SHIFT = 8;
    private static final int INDICATOR = 3 << INDICATOR_SHIFT;
    private static final int POWER_OFF = 1 << 10;
    private static final int EVENTS = 0x11B;

    private final Port port;
    private final int at;

    SlotControl(Port port) {
        this.port = port;
        at = Capabilities.legacy(port, EXPRESS);
    }

    void powerOn() {
        change(POWER_OFF | INDICATOR, ON << INDICATOR_SHIFT);
        acknowledge();
    }

    /** Power off, and the indicator with it: what is in the slot may go. */
    void powerOff() {
        change(POWER_OFF | INDICATOR, POWER_OFF | OFF << INDICATOR_SHIFT);
        acknowledge();
    }

    void indicator(int how) {
        change(INDICATOR, how << INDICATOR_SHIFT);
    }

    private void change(int mask, int bits) {
        if (at != 0) {
            int control = (int) port.readConfig(at + CONTROL, 2);
            port.writeConfig(at + CONTROL, 2, control & ~mask | bits);
        }
    }

    /** Clears the events that are there, and no others. */
    private void acknowledge() {
        if (at != 0) {
            port.writeConfig(at + STATUS, 2, port.readConfig(at + STATUS, 2) & EVENTS);
        }
    }
}
