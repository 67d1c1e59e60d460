package org.peerlane.bus.pcie.config;

import org.peerlane.registers.RegisterMap;

/**
 * A header: what type 0 and type 1 share. Its getters read the bits as they are, so a snapshot for
 * hot paths is made after each write that has an {@link Effect}.
 */
public abstract class Header extends ConfigBlock {
    private static final RegisterMap<HeaderRegister> MAP =
            new RegisterMap<>(HeaderRegister.class, 0x40);

    private static final int IO = 1;
    private static final int MEMORY = 1 << 1;
    private static final int MASTER = 1 << 2;
    private static final int INTX_DISABLE = 1 << 10;

    Header(ConfigSpace config, int type) {
        super(config, 0);
        define(MAP);
        preset(HeaderRegister.HEADER_TYPE, HeaderRegister.LAYOUT, type);
        limit(HeaderRegister.COMMAND, HeaderRegister.IO, 0);
    }

    final void identity(int vendorId, int deviceId, int revision, int classCode, int pin) {
        preset(HeaderRegister.VENDOR, HeaderRegister.VENDOR_ID, vendorId);
        preset(HeaderRegister.DEVICE, HeaderRegister.DEVICE_ID, deviceId);
        preset(HeaderRegister.REVISION, HeaderRegister.REVISION_ID, revision);
        preset(HeaderRegister.CLASS_LOW, HeaderRegister.PROGRAMMING, classCode & 0xFF);
        preset(HeaderRegister.CLASS_HIGH, HeaderRegister.SUB, classCode >>> 8 & 0xFF);
        preset(HeaderRegister.CLASS_HIGH, HeaderRegister.BASE, classCode >>> 16);
        preset(HeaderRegister.PIN, HeaderRegister.PIN_NUMBER, pin);
    }

    final void takesIo() {
        limit(HeaderRegister.COMMAND, HeaderRegister.IO, 1);
    }

    /** Says that the device has other functions, too. */
    public void multifunction() {
        preset(HeaderRegister.HEADER_TYPE, HeaderRegister.MULTIFUNCTION, 1);
    }

    /** {@return Command bit 0: I/O BARs decode} */
    public boolean io() {
        return (config.dword(4) & IO) != 0;
    }

    /** {@return Command bit 1: memory BARs decode} */
    public boolean memory() {
        return (config.dword(4) & MEMORY) != 0;
    }

    /** {@return Command bit 2: the function, or what is below the bridge, may send requests} */
    public boolean busMaster() {
        return (config.dword(4) & MASTER) != 0;
    }

    /** {@return Command bit 10} */
    public boolean intxDisabled() {
        return (config.dword(4) & INTX_DISABLE) != 0;
    }

    /** {@return Command bit 8: errors are reported even if DevCtl does not say so} */
    public boolean serrEnabled() {
        return is(HeaderRegister.COMMAND, HeaderRegister.SERR);
    }

    /** {@return whether INTx is pending, Status bit 3 (PC-8)} */
    public boolean interruptPending() {
        return is(HeaderRegister.STATUS, HeaderRegister.INTERRUPT);
    }

    void interruptPending(boolean pending) {
        set(HeaderRegister.STATUS, HeaderRegister.INTERRUPT, pending);
    }

    /** A request of the function's was answered by nobody: Status bit 13. */
    public void receivedMasterAbort() {
        set(HeaderRegister.STATUS, HeaderRegister.MASTER_ABORT, 1);
    }

    /** A request of the function's was refused: Status bit 12. */
    public void receivedTargetAbort() {
        set(HeaderRegister.STATUS, HeaderRegister.TARGET_ABORT, 1);
    }

    /** The function has refused a request: Status bit 11. */
    public void signalledTargetAbort() {
        set(HeaderRegister.STATUS, HeaderRegister.SIGNALLED_ABORT, 1);
    }

    /** Data that the function had asked for is marked as bad: Status bits 15 and 8. */
    public void receivedPoison() {
        set(HeaderRegister.STATUS, HeaderRegister.PARITY_ERROR, 1);
        if (is(HeaderRegister.COMMAND, HeaderRegister.PARITY)) {
            set(HeaderRegister.STATUS, HeaderRegister.DATA_PARITY, 1);
        }
    }

    void signalledSerr() {
        set(HeaderRegister.STATUS, HeaderRegister.SIGNALLED_SERR, 1);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (!hit(HeaderRegister.COMMAND, dword, lanes)) {
            return 0;
        }
        int changed = before ^ config.dword(4);
        return ((changed & (IO | MEMORY)) != 0 ? Effect.DECODE : 0)
                | ((changed & MASTER) != 0 ? Effect.MASTER | Effect.MESSAGES : 0)
                | ((changed & INTX_DISABLE) != 0 ? Effect.INTX : 0);
    }
}
