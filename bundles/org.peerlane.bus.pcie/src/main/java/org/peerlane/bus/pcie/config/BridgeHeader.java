package org.peerlane.bus.pcie.config;

import org.peerlane.registers.RegisterMap;

/**
 * The header of type 1 (PC-10): bus numbers, windows (PC-42), bridge control. A window is closed
 * while its base is above its limit; {@link BridgeHeader} answers both as whole addresses.
 */
public final class BridgeHeader extends Header {
    private static final RegisterMap<BridgeRegister> MAP =
            new RegisterMap<>(BridgeRegister.class, 0x40);

    private static final int BUSES = 0x18;
    private static final int LAST_WINDOW = 0x30;
    private static final int CONTROL = 0x3C;
    private static final int CONTROL_RESET = 1 << 6 + 16;
    private static final int CONTROL_ISA = 1 << 2 + 16;
    private static final long MEGABYTE = 0xF_FFFF;

    /**
     * @param ioBits how wide its I/O window is: 32, 16, or 0: it has none
     */
    BridgeHeader(ConfigSpace config, int ioBits) {
        super(config, 1);
        define(MAP);
        if (ioBits > 0) {
            takesIo();
        } else {
            limit(BridgeRegister.IO_BASE, BridgeRegister.IO_FIRST, 0);
            limit(BridgeRegister.IO_LIMIT, BridgeRegister.IO_LAST, 0);
        }
        if (ioBits < 32) {
            preset(BridgeRegister.IO_BASE, BridgeRegister.IO_BASE_TYPE, 0);
            preset(BridgeRegister.IO_LIMIT, BridgeRegister.IO_LIMIT_TYPE, 0);
            limit(BridgeRegister.IO_BASE_HIGH, BridgeRegister.IO_FIRST_HIGH, 0);
            limit(BridgeRegister.IO_LIMIT_HIGH, BridgeRegister.IO_LAST_HIGH, 0);
        }
    }

    /** {@return the bus above} */
    public int primary() {
        return config.dword(BUSES) & 0xFF;
    }

    /** {@return the bus right below} */
    public int secondary() {
        return config.dword(BUSES) >>> 8 & 0xFF;
    }

    /** {@return the highest bus below} */
    public int subordinate() {
        return config.dword(BUSES) >>> 16 & 0xFF;
    }

    /** {@return first address of the memory window} */
    public long memoryBase() {
        return (config.dword(0x20) & 0xFFF0L) << 16;
    }

    /** {@return last address of the memory window} */
    public long memoryLimit() {
        return (config.dword(0x20) & 0xFFF0_0000L) | MEGABYTE;
    }

    /** {@return first address of the prefetchable window} */
    public long prefetchBase() {
        return (config.dword(0x24) & 0xFFF0L) << 16 | (long) config.dword(0x28) << 32;
    }

    /** {@return last address of the prefetchable window} */
    public long prefetchLimit() {
        return (config.dword(0x24) & 0xFFF0_0000L) | MEGABYTE | (long) config.dword(0x2C) << 32;
    }

    /** {@return first address of the I/O window} */
    public long ioBase() {
        return (config.dword(0x1C) & 0xF0L) << 8 | (config.dword(0x30) & 0xFFFFL) << 16;
    }

    /** {@return last address of the I/O window} */
    public long ioLimit() {
        return (config.dword(0x1C) & 0xF000L) | 0xFFF | (config.dword(0x30) & 0xFFFF_0000L);
    }

    /** {@return whether of the first 64 KiB only 256 of each 1024 ports are passed down} */
    public boolean isaEnable() {
        return (config.dword(CONTROL) & CONTROL_ISA) != 0;
    }

    /** {@return whether what is below is held in reset (PC-63)} */
    public boolean secondaryReset() {
        return (config.dword(CONTROL) & CONTROL_RESET) != 0;
    }

    /** A request from below was answered by nobody: Secondary Status bit 13. */
    public void secondaryMasterAbort() {
        set(BridgeRegister.SECONDARY_STATUS, BridgeRegister.MASTER_ABORT, 1);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        int effects = super.written(dword, lanes, x, before);
        int changed = before ^ config.dword(dword);
        if (dword >= BUSES && dword <= LAST_WINDOW && changed != 0) {
            // bits 31:16 at 0x1C are status: no window
            effects |= dword == 0x1C && (changed & 0xFFFF) == 0 ? 0 : Effect.WINDOWS;
        }
        if (dword == CONTROL && (changed & CONTROL_RESET) != 0) {
            effects |= Effect.SECONDARY_RESET;
        }
        if (dword == CONTROL && (changed & CONTROL_ISA) != 0) {
            effects |= Effect.WINDOWS;
        }
        return (effects & (Effect.DECODE | Effect.MASTER)) != 0
                ? effects | Effect.WINDOWS
                : effects;
    }
}
