package org.peerlane.exporter.vfio;

import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.RomLayout;

/**
 * A function's expansion ROM, which decodes only while it is read: whoever passes the function
 * through does not see the hardware's enable bit. Kernel counterpart: {@code pci_map_rom()}.
 *
 * <p><b>Locks.</b> {@code vfio.memory} around each call; memory is on.
 */
final class Rom {
    private static final int REGISTER = 0x30;
    private static final long ENABLE = 1;
    private static final int SIGNATURE = 0xAA55;
    private static final long DATA_SIGNATURE = 0x5249_4350L; // PCIR
    private static final int DATA = 0x18;
    private static final int LENGTH = 0x10;
    private static final int INDICATOR = 0x15;
    private static final int LAST = 0x80;
    private static final int UNIT = 512;

    private final PcieFunction function;
    private final long images;

    /**
     * Looks for images.
     *
     * @param bytes of the ROM
     */
    Rom(PcieFunction function, long bytes) {
        this.function = function;
        long before = enable();
        try {
            images = images(bytes);
        } finally {
            function.writeConfig(REGISTER, 4, before);
        }
    }

    private long enable() {
        long before = function.readConfig(REGISTER, 4);
        function.writeConfig(REGISTER, 4, before | ENABLE);
        return before;
    }

    private long images(long bytes) {
        long at = 0;
        while (at < bytes && word(at) == SIGNATURE) {
            long data = at + word(at + DATA);
            if (data + INDICATOR >= bytes || (data & 3) != 0 || dword(data) != DATA_SIGNATURE) {
                break;
            }
            long length = (long) word(data + LENGTH) * UNIT;
            at += length;
            if (length == 0 || (word(data + INDICATOR & ~1L) >>> 8 & LAST) != 0) {
                break;
            }
        }
        return Math.min(at, bytes);
    }

    private int word(long at) {
        return (int) function.read(RomLayout.INDEX, at, 2) & 0xFFFF;
    }

    private long dword(long at) {
        return function.read(RomLayout.INDEX, at, 4) & 0xFFFF_FFFFL;
    }

    /** {@return whether there is anything to read: a ROM without an image is no region} */
    boolean hasImage() {
        return images != 0;
    }

    /** {@return what is there; ones behind the last image} */
    long read(long at, int width) {
        if (at >= images) {
            return -1;
        }
        long before = enable();
        try {
            return function.read(RomLayout.INDEX, at, width);
        } finally {
            function.writeConfig(REGISTER, 4, before);
        }
    }
}
