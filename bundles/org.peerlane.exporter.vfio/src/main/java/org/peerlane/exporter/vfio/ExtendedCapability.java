package org.peerlane.exporter.vfio;

import org.jspecify.annotations.Nullable;

/**
 * The extended capabilities that user space sees, and how long each is (VF-32). All are read-only,
 * but for what is said of them. One that is not here is skipped by the list. A new one is a line
 * here.
 */
enum ExtendedCapability {
    ADVANCED_ERRORS(0x0001, 0x48) {
        @Override
        void masks(ConfigMasks masks, int at) {
            for (int register = 4; register < 0x18; register += 4) {
                masks.set(at + register, 4, 0, 0xFFFF_FFFFL); // status, mask, severity, twice
            }
            masks.set(at + 0x18, 4, 0, 0x140); // generation and check of ECRC
        }
    },
    VIRTUAL_CHANNEL(0x0002, 0x10),
    SERIAL_NUMBER(0x0003, 12),
    POWER_BUDGET(0x0004, 16) {
        @Override
        void masks(ConfigMasks masks, int at) {
            masks.set(at + 4, 1, 0, 0xFF); // what the data register shows
        }
    },
    VENDOR(0x000B, 0) {
        @Override
        int length(long vendorHeader) {
            return (int) (vendorHeader >>> 20 & 0xFFF);
        }

        @Override
        void masks(ConfigMasks masks, int at, int length) {
            for (int i = 8; i < length; i++) {
                masks.set(at + i, 1, 0, 0xFF);
            }
        }
    },
    ACCESS_CONTROL(0x000D, 8),
    ROUTING_ID(0x000E, 8),
    ADDRESS_TRANSLATION(0x000F, 8),
    SINGLE_ROOT(0x0010, 0x40),
    MULTICAST(0x0012, 0x30),
    PAGE_REQUESTS(0x0013, 0x10),
    RESIZABLE_BAR(0x0015, 0) {
        @Override
        int length(long firstControl) {
            return 4 + 8 * (int) (firstControl >>> 5 & 7);
        }
    },
    LATENCY_TOLERANCE(0x0018, 8),
    DESIGNATED_VENDOR(0x0023, 0) {
        @Override
        int length(long vendorHeader) {
            return (int) (vendorHeader >>> 20 & 0xFFF);
        }

        @Override
        void masks(ConfigMasks masks, int at, int length) {
            for (int i = 10; i < length; i++) {
                masks.set(at + i, 1, 0, 0xFF);
            }
        }
    };

    private final int id;
    private final int length;

    ExtendedCapability(int id, int length) {
        this.id = id;
        this.length = length;
    }

    /** {@return the one of an id; null: user space does not see it} */
    static @Nullable ExtendedCapability of(int id) {
        for (ExtendedCapability one : values()) {
            if (one.id == id) {
                return one;
            }
        }
        return null;
    }

    /**
     * @param second the dword that says it, where it varies: at 8 of a Resizable BAR, else at 4
     */
    int length(long second) {
        return length;
    }

    void masks(ConfigMasks masks, int at) {}

    void masks(ConfigMasks masks, int at, int bytes) {
        masks(masks, at);
    }
}
