package org.peerlane.exporter.vfio;

import org.jspecify.annotations.Nullable;

/**
 * The capabilities of the legacy list that user space sees, how long each is, and what of it can be
 * changed (VF-32). One that is not here is taken off the list. A new one is a line here.
 */
enum Capability {
    POWER_MANAGEMENT(0x01, 8) {
        @Override
        void masks(ConfigMasks masks, int at) {
            masks.set(at + 2, 2, PME_SUPPORT, 0); // who cares for these events is the host
            // the power state is written by hand
            masks.set(at + 4, 4, PME_CONTROL, 0xFFFF_FFFFL & ~(PME_CONTROL | 3));
        }
    },
    AGP(0x02, 8),
    VPD(0x03, 8) {
        @Override
        void masks(ConfigMasks masks, int at) {
            masks.set(at + 2, 2, 0, 0xFFFF);
            masks.set(at + 4, 4, 0, 0xFFFF_FFFFL);
        }
    },
    MSI(0x05, 24) {
        @Override
        int length(long header) {
            boolean wide = (header >>> 16 & 0x80) != 0;
            boolean masked = (header >>> 16 & 0x100) != 0;
            return (wide ? 14 : 10) + (masked ? 10 : 0);
        }

        @Override
        void masks(ConfigMasks masks, int at, int length) {
            boolean wide = length % 10 == 4; // 14 or 24, not 10 or 20
            masks.set(at + 2, 2, 0xFFFF, 0xFF); // all virtual: who sets it up is SET_IRQS
            masks.set(at + 4, 4, 0xFFFF_FFFFL, 0xFFFF_FFFFL);
            if (wide) {
                masks.set(at + 8, 4, 0xFFFF_FFFFL, 0xFFFF_FFFFL);
            }
            int data = at + (wide ? 12 : 8);
            masks.set(data, 2, 0xFFFF, 0xFFFF);
            if (length >= 20) {
                masks.set(data + 4, 4, 0, 0xFFFF_FFFFL); // mask
                masks.set(data + 8, 4, 0, 0xFFFF_FFFFL); // pending
            }
        }
    },
    VENDOR(0x09, 0) {
        @Override
        int length(long header) {
            return (int) (header >>> 16 & 0xFF);
        }

        @Override
        void masks(ConfigMasks masks, int at, int length) {
            for (int i = 2; i < length; i++) {
                masks.set(at + i, 1, 0, 0xFF);
            }
        }
    },
    EXPRESS(0x10, 0x3C) {
        @Override
        void masks(ConfigMasks masks, int at) {
            // function-level reset and request sizes are looked at, not handed on
            masks.set(at + 8, 2, 0xF0E0, 0xFDFF);
            masks.set(at + 0x28, 2, 0, 0xFFDF);
        }
    },
    MSI_X(0x11, 12),
    ADVANCED_FEATURES(0x13, 6) {
        @Override
        void masks(ConfigMasks masks, int at) {
            masks.set(at + 4, 1, 0x01, 0x01);
        }
    };

    private static final long PME_SUPPORT = 0xF800;
    private static final long PME_CONTROL = 0x8100;

    private final int id;
    private final int length;

    Capability(int id, int length) {
        this.id = id;
        this.length = length;
    }

    /** {@return the one of an id; null: user space does not see it} */
    static @Nullable Capability of(int id) {
        for (Capability one : values()) {
            if (one.id == id) {
                return one;
            }
        }
        return null;
    }

    int id() {
        return id;
    }

    /**
     * @param header its first four bytes
     */
    int length(long header) {
        return length;
    }

    void masks(ConfigMasks masks, int at) {}

    void masks(ConfigMasks masks, int at, int bytes) {
        masks(masks, at);
    }
}
