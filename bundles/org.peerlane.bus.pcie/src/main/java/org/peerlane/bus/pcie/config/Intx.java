package org.peerlane.bus.pcie.config;

import org.jspecify.annotations.Nullable;

/**
 * A function's INTx: a level that is sent as an Assert and a Deassert message (PC-29, PC-78). Bus
 * mastering does not matter to it; outside D0 it is deasserted (PC-25).
 *
 * <p><b>Use.</b> {@link #update} after each change: {@link #level}, {@link Effect#INTX}, reset; its
 * answer is the message to send.
 */
public final class Intx {
    /** What has to be sent. */
    public enum Edge {
        /** Nothing. */
        NONE,
        /** Assert_INTx. */
        ASSERT,
        /** Deassert_INTx. */
        DEASSERT
    }

    private final Header header;
    private final int pin;
    private final @Nullable Msi msi;
    private final @Nullable MsiX msiX;
    private final @Nullable PowerManagement power;
    private boolean level;
    private boolean asserted;

    Intx(
            Header header,
            int pin,
            @Nullable Msi msi,
            @Nullable MsiX msiX,
            @Nullable PowerManagement power) {
        this.header = header;
        this.pin = pin;
        this.msi = msi;
        this.msiX = msiX;
        this.power = power;
    }

    /** {@return 1 to 4: INTA to INTD; 0: the function has none} */
    public int pin() {
        return pin;
    }

    /** Says whether the device wants attention. */
    public void level(boolean wants) {
        level = wants && pin != 0;
    }

    /** {@return whether the pin is asserted as far as the bus knows} */
    public boolean asserted() {
        return asserted;
    }

    /** {@return the message that makes the bus know how it is} */
    public Edge update() {
        header.interruptPending(level);
        boolean messages = msi != null && msi.enabled() || msiX != null && msiX.enabled();
        boolean awake = power == null || power.awake();
        boolean now = level && awake && !messages && !header.intxDisabled();
        if (now == asserted) {
            return Edge.NONE;
        }
        asserted = now;
        return now ? Edge.ASSERT : Edge.DEASSERT;
    }

    /** The link is down: what is above knows of no assertion any more. */
    public void linkDown() {
        asserted = false;
    }

    /**
     * {@return the pin above a bridge}
     *
     * @param pin of the function, 1 to 4
     * @param device of the function, on the bridge's secondary bus
     */
    public static int swizzle(int pin, int device) {
        return (pin - 1 + device) % 4 + 1;
    }
}
