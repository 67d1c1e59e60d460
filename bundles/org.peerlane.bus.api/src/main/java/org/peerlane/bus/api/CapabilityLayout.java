package org.peerlane.bus.api;

import java.util.ArrayList;
import java.util.List;

/**
 * What one capability of a function can do; the bus makes its registers of it. Each constructor
 * throws {@link IllegalArgumentException} for a value out of its range.
 *
 * <p><b>Source.</b> PCIe 5.0, chapters 7.5 to 7.9 and 9.3, 10.5; names are the specification's.
 */
public sealed interface CapabilityLayout {

    /** {@return whether it is in extended config space, which takes {@link Express} too (PC-1)} */
    default boolean extended() {
        return switch (this) {
            case PowerManagement _, Msi _, MsiX _, Vendor _, Express _, AdvancedFeatures _ -> false;
            case Aer _,
                    Acs _,
                    Ats _,
                    Pri _,
                    Pasid _,
                    SrIov _,
                    ResizableBar _,
                    SerialNumber _,
                    Ari _ ->
                    true;
        };
    }

    /**
     * Power management (PC-24 to PC-26).
     *
     * @param d1 has D1
     * @param d2 has D2
     * @param noSoftReset back from D3hot it keeps everything
     * @param pmeSupport states it can send PME from: bit 0 D0 to bit 4 D3cold
     */
    record PowerManagement(boolean d1, boolean d2, boolean noSoftReset, int pmeSupport)
            implements CapabilityLayout {
        /** Checks. */
        public PowerManagement {
            Check.range("PME support", pmeSupport, 0, 0x1F);
        }

        /** {@return D0 and D3hot only, reset on the way back, no PME} */
        public static PowerManagement plain() {
            return new PowerManagement(false, false, false, 0);
        }
    }

    /**
     * Message-signalled interrupts.
     *
     * @param vectors a power of two to 32
     * @param wide takes 64-bit addresses
     * @param perVectorMask has mask and pending bits
     */
    record Msi(int vectors, boolean wide, boolean perVectorMask) implements CapabilityLayout {
        /** Checks. */
        public Msi {
            Check.that(
                    vectors > 0 && vectors <= 32 && Check.isPowerOfTwo(vectors),
                    "%d MSI vectors; expected 1, 2, 4, 8, 16 or 32",
                    vectors);
        }
    }

    /**
     * MSI-X. Registers of the function must not share a 4 KiB page with table or PBA (PC-27).
     *
     * @param vectors 1 to 2048
     * @param tableBar the BAR with the table
     * @param tableOffset where in it, a multiple of 8
     * @param pbaBar the BAR with the pending bits
     * @param pbaOffset where in it, a multiple of 8
     */
    record MsiX(int vectors, int tableBar, long tableOffset, int pbaBar, long pbaOffset)
            implements CapabilityLayout {
        /** Checks. */
        public MsiX {
            Check.range("MSI-X vectors", vectors, 1, 2048);
            Check.range("BAR of the MSI-X table", tableBar, 0, 5);
            Check.range("BAR of the MSI-X PBA", pbaBar, 0, 5);
            offset("MSI-X table", tableOffset);
            offset("MSI-X PBA", pbaOffset);
        }

        private static void offset(String what, long offset) {
            Check.that(
                    offset >= 0 && offset <= 0xFFFF_FFF8L && offset % 8 == 0,
                    "%s at 0x%x; expected a multiple of 8 below 2^32",
                    what,
                    offset);
        }

        /** {@return table and PBA in one BAR, each in pages of its own, the table at its start} */
        public static MsiX in(int bar, int vectors) {
            return new MsiX(vectors, bar, 0, bar, vectors * 16L + 0xFFF & -0x1000L);
        }

        /** {@return bytes of the table} */
        public long tableBytes() {
            return vectors * 16L;
        }

        /** {@return bytes of the pending bits} */
        public long pbaBytes() {
            return (vectors + 63) / 64 * 8L;
        }
    }

    /**
     * PCI Express. The bus adds what depends on the place: type, link, slot.
     *
     * @param maxPayload bytes, a power of two from 128 to 4096
     * @param flr can be reset alone
     * @param extendedTags 8-bit tags
     * @param linkSpeed 1 (2.5 GT/s) to 6 (64 GT/s)
     * @param linkWidth lanes: 1, 2, 4, 8, 12, 16 or 32
     */
    record Express(int maxPayload, boolean flr, boolean extendedTags, int linkSpeed, int linkWidth)
            implements CapabilityLayout {
        /** Checks. */
        public Express {
            Check.that(
                    maxPayload >= 128 && maxPayload <= 4096 && Check.isPowerOfTwo(maxPayload),
                    "maximum payload of %d bytes; expected a power of two from 128 to 4096",
                    maxPayload);
            Check.range("link speed", linkSpeed, 1, 6);
            Check.that(
                    List.of(1, 2, 4, 8, 12, 16, 32).contains(linkWidth),
                    "link of %d lanes; expected 1, 2, 4, 8, 12, 16 or 32",
                    linkWidth);
        }

        /** {@return 256 bytes of payload, FLR, 8-bit tags, four lanes of 16 GT/s} */
        public static Express plain() {
            return new Express(256, true, true, 4, 4);
        }
    }

    /** Function-level reset for a function without {@link Express} (PC-61). */
    record AdvancedFeatures() implements CapabilityLayout {}

    /** Advanced error reporting (PC-32, PC-33). */
    record Aer() implements CapabilityLayout {}

    /**
     * Access control services (PC-31); an endpoint has them only if it has several functions.
     *
     * @param bits what can be switched on, as the capability register has it: bits 0 to 6
     * @param egressVectorBits bits of the egress control vector; 0 without egress control
     */
    record Acs(int bits, int egressVectorBits) implements CapabilityLayout {
        private static final int EGRESS_CONTROL = 1 << 5;

        /** Checks. */
        public Acs {
            Check.range("ACS bits", bits, 0, 0x7F);
            Check.range("bits of the ACS egress vector", egressVectorBits, 0, 256);
            Check.that(
                    (bits & EGRESS_CONTROL) != 0 == egressVectorBits > 0,
                    "ACS bits 0x%x with an egress vector of %d bits; egress control (0x20) and the"
                            + " vector come together",
                    bits,
                    egressVectorBits);
        }
    }

    /**
     * Address translation services.
     *
     * @param queueDepth invalidations it can hold: 1 to 32
     * @param pageAligned its untranslated requests are page aligned
     */
    record Ats(int queueDepth, boolean pageAligned) implements CapabilityLayout {
        /** Checks. */
        public Ats {
            Check.range("ATS invalidate queue depth", queueDepth, 1, 32);
        }
    }

    /**
     * Page requests.
     *
     * @param capacity outstanding page requests it can have, at least 1
     * @param pasidRequired group responses need a PASID
     */
    record Pri(int capacity, boolean pasidRequired) implements CapabilityLayout {
        /** Checks. */
        public Pri {
            Check.range("PRI capacity", capacity, 1, Integer.MAX_VALUE);
        }
    }

    /**
     * Process address spaces (IM-16).
     *
     * @param width bits: 1 to 20
     * @param execute can ask for the right to execute
     * @param privileged has a privileged mode
     */
    record Pasid(int width, boolean execute, boolean privileged) implements CapabilityLayout {
        /** Checks. */
        public Pasid {
            Check.range("PASID width", width, 1, 20);
        }
    }

    /**
     * Virtual functions (PC-34 to PC-36).
     *
     * @param totalVfs 1 to 65535
     * @param firstOffset from the function's requester id to the first VF's, at least 1
     * @param stride from one VF's requester id to the next one's, at least 1
     * @param vfDeviceId 16 bits
     * @param supportedPageSizes bit n: 2^(n+12) bytes; bit 0 must be set
     * @param bars of one VF; a VF has no I/O BARs and none below 4 KiB
     */
    record SrIov(
            int totalVfs,
            int firstOffset,
            int stride,
            int vfDeviceId,
            int supportedPageSizes,
            List<BarLayout> bars)
            implements CapabilityLayout {
        /** Checks. */
        public SrIov {
            Check.range("total VFs", totalVfs, 1, 0xFFFF);
            Check.range("first VF offset", firstOffset, 1, 0xFFFF);
            Check.range("VF stride", stride, 1, 0xFFFF);
            Check.range("VF device id", vfDeviceId, 0, 0xFFFF);
            Check.that(
                    (supportedPageSizes & 1) != 0,
                    "page sizes 0x%x; 4 KiB (bit 0) must be one of them",
                    supportedPageSizes);
            bars = FunctionLayout.checkedBars(bars);
            for (BarLayout bar : bars) {
                Check.that(!bar.io(), "VF BAR %d in I/O space; a VF has none", bar.index());
                Check.that(
                        bar.bytes() >= 4096,
                        "VF BAR %d of %d bytes; expected at least 4096",
                        bar.index(),
                        bar.bytes());
            }
        }
    }

    /**
     * Other sizes of one BAR (PC-37). The BAR's own size is what it has after a reset.
     *
     * @param bar its index
     * @param sizes all of them ORed, in bytes: powers of two from 2^20 to 2^47
     */
    record ResizableBar(int bar, long sizes) implements CapabilityLayout {
        /** Every size that the capability can offer. */
        public static final long ALL_SIZES = (1L << 48) - (1L << 20);

        /** Checks. */
        public ResizableBar {
            Check.range("resizable BAR", bar, 0, 5);
            Check.that(
                    sizes != 0 && (sizes & ~ALL_SIZES) == 0,
                    "sizes 0x%x of BAR %d; expected powers of two from 2^20 to 2^47",
                    sizes,
                    bar);
        }
    }

    /**
     * The device's serial number.
     *
     * @param number an EUI-64
     */
    record SerialNumber(long number) implements CapabilityLayout {}

    /**
     * Alternative routing-id interpretation: function numbers of 8 bits.
     *
     * @param nextFunction 0: this is the last
     */
    record Ari(int nextFunction) implements CapabilityLayout {
        /** Checks. */
        public Ari {
            Check.range("next function", nextFunction, 0, 0xFF);
        }
    }

    /**
     * A vendor's own, read-only.
     *
     * @param bytes what follows id, next pointer and length: at most 189
     */
    record Vendor(List<Byte> bytes) implements CapabilityLayout {
        /** Checks. */
        public Vendor {
            bytes = List.copyOf(bytes);
            Check.range("bytes of a vendor capability", bytes.size(), 0, 189);
        }

        /** {@return one of these bytes} */
        public static Vendor of(int... bytes) {
            List<Byte> list = new ArrayList<>();
            for (int value : bytes) {
                Check.range("vendor byte", value, 0, 0xFF);
                list.add((byte) value);
            }
            return new Vendor(list);
        }
    }
}
