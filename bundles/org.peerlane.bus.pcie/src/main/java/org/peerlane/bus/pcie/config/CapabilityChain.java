package org.peerlane.bus.pcie.config;

/**
 * The two lists of capabilities: legacy ones from 0x40 up, extended ones from 0x100 up, in the
 * order they join (PC-21, PC-22). Without any, the pointer and Status bit 4, or the header at
 * 0x100, stay 0.
 */
public final class CapabilityChain {
    /** Where the pointer to the first legacy one is. */
    static final int POINTER = 0x34;

    private static final int STATUS = 0x06;
    private static final int STATUS_LIST = 1 << 4;
    private static final int LEGACY = 0x40;
    private static final int EXTENDED = 0x100;

    private final ConfigSpace config;
    private int nextLegacy = LEGACY;
    private int nextExtended = EXTENDED;

    /** The last of each list; 0: none. */
    private int lastLegacy;

    private int lastExtended;

    /**
     * Makes empty lists.
     *
     * @param config with its header defined
     */
    public CapabilityChain(ConfigSpace config) {
        this.config = config;
    }

    ConfigSpace config() {
        return config;
    }

    /**
     * Links the next one in and defines its header.
     *
     * @return where it is
     * @throws IllegalArgumentException there is no room
     */
    int join(CapabilityId id, int bytes) {
        int at = id.extended() ? nextExtended : nextLegacy;
        int end = at + bytes + 3 & ~3;
        if (end > (id.extended() ? ConfigSpace.BYTES : EXTENDED)) {
            throw new IllegalArgumentException(
                    "no room for %s of %d bytes at 0x%x".formatted(id, bytes, at));
        }
        if (id.extended()) {
            config.define(at, 4, id.version() << 16 | id.code());
            if (lastExtended != 0) {
                config.preset(lastExtended, 4, 0xFFF0_0000L, (long) at << 20);
            }
            lastExtended = at;
            nextExtended = end;
        } else {
            config.define(at, 2, id.code());
            if (lastLegacy == 0) {
                config.preset(POINTER, 1, 0xFF, at);
                config.preset(STATUS, 2, STATUS_LIST, STATUS_LIST);
            } else {
                config.preset(lastLegacy + 1, 1, 0xFF, at);
            }
            lastLegacy = at;
            nextLegacy = end;
        }
        return at;
    }
}
