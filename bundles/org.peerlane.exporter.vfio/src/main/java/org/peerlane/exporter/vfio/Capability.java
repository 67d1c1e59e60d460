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
            masks.set(at + 4, 2, 0, 0); // the power state is written by hand
        }
    },
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
        void masks(ConfigMasks masks, int at) {
            masks.set(at + 2, 2, 0xFFFF, 0xFF); // all virtual: who sets it up is SET_IRQS
            masks.set(at + 4, 4, 0xFFFF_FFFFL, 0xFFFF_FFFFL);
            masks.set(at + 8, 2, 0xFFFF, 0xFFFF);
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
            // function-level reset and read request size are looked at, not handed on
            masks.set(at + 8, 2, 0xF000, 0xFDFF);
            masks.set(at + 10, 2, 0, 0xFFFF); // status: errors are cleared by ones
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
