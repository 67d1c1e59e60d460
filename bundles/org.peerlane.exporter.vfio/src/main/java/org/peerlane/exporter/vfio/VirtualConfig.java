package org.peerlane.exporter.vfio;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.bus.api.PcieFunction;

/**
 * Config space as user space sees it: some bits are the hardware's, some live in a copy (VF-30 to
 * VF-33). Kernel counterpart: {@code vconfig}.
 *
 * <p><b>Life.</b> That of an open function. <b>Locks.</b> {@code vfio.memory} around each call.
 */
final class VirtualConfig {
    private static final int LEGACY = 256;
    private static final int EXTENDED = 4096;
    private static final int COMMAND = 0x04;
    private static final int BAR0 = 0x10;
    private static final int BARS = 6;
    private static final int ROM = 0x30;
    private static final int LIST = 0x34;
    private static final int PIN = 0x3D;
    private static final int MOST = 48;
    private static final int MEMORY = 2;
    private static final long DECODES = 3;
    private static final int HAS_LIST = 1 << 4;
    private static final long PME_SUPPORT = 0xF800;
    private static final long PME_CONTROL = 0x8100;
    private static final long ALL = 0xFFFF_FFFFL;

    private final PcieFunction function;
    private final int size;
    private final byte[] copy;
    private final ConfigMasks masks;

    /** What a write of ones to each BAR reads back: bits that say its size, and what it is. */
    private final long[] sizes = new long[BARS + 1];

    /** Where the hardware's BARs are; user space cannot move them. */
    private final long[] addresses = new long[BARS];

    private final int[] places = new int[Capability.values().length];

    /** Null: it is none. */
    private final @Nullable VirtualFunction virtual;

    /**
     * @param all functions that there are
     */
    VirtualConfig(List<PcieFunction> all, PcieFunction function) {
        this.function = function;
        virtual = VirtualFunction.of(all, function);
        boolean express = find(Capability.EXPRESS.id()) != 0;
        size = express ? EXTENDED : LEGACY;
        copy = new byte[size];
        masks = new ConfigMasks(size);
        for (int at = 0; at < size; at += 4) {
            ConfigMasks.put(copy, at, 4, function.readConfig(at, 4));
        }
        header();
        legacyList();
        if (express) {
            extendedList();
        }
    }

    private int find(int id) {
        int at = (int) function.readConfig(LIST, 1) & ~3;
        for (int i = 0; at != 0 && i < MOST; i++) {
            if (function.readConfig(at, 1) == id) {
                return at;
            }
            at = (int) function.readConfig(at + 1, 1) & ~3;
        }
        return 0;
    }

    private void header() {
        masks.owned(0, 0x40);
        masks.set(0, 4, ALL, 0);
        if (virtual != null) {
            ConfigMasks.put(copy, 0, 4, virtual.ids());
        }
        masks.set(COMMAND, 2, 1 << 10, 0xFFFF); // whether INTx is disabled is ours
        if (virtual != null) {
            copy[COMMAND] |= MEMORY;
            masks.set(COMMAND, 1, MEMORY, 0xFF); // the hardware has no such bit
        }
        masks.set(COMMAND + 2, 2, HAS_LIST, 0);
        masks.set(0x0C, 2, 0, 0xFFFF);
        masks.set(0x0F, 1, 0, 0xFF);
        for (int bar = 0; bar < BARS; bar++) {
            masks.set(BAR0 + 4 * bar, 4, ALL, ALL);
            addresses[bar] = function.readConfig(BAR0 + 4 * bar, 4);
            sizes[bar] = virtual == null ? sizing(BAR0 + 4 * bar) : virtual.sizing(bar);
        }
        masks.set(ROM, 4, ALL, ALL);
        sizes[BARS] = virtual == null ? sizing(ROM) : 0;
        masks.set(LIST, 1, 0xFF, 0);
        masks.set(0x3C, 1, 0xFF, 0xFF);
        masks.set(PIN, 1, 0xFF, 0);
    }

    /** [memory is on, and goes off for a moment] {@return what a BAR reads after ones} */
    private long sizing(int at) {
        long was = function.readConfig(at, 4);
        long command = function.readConfig(COMMAND, 2);
        function.writeConfig(COMMAND, 2, command & ~3);
        function.writeConfig(at, 4, ALL);
        long sizing = function.readConfig(at, 4);
        function.writeConfig(at, 4, was);
        function.writeConfig(COMMAND, 2, command);
        return sizing;
    }

    private void legacyList() {
        int link = LIST; // what points to the next that is shown
        int at = (int) function.readConfig(LIST, 1) & ~3;
        copy[link] = 0;
        for (int i = 0; at >= 0x40 && i < MOST; i++) {
            long header = function.readConfig(at, 4);
            Capability shown = Capability.of((int) header & 0xFF);
            int next = (int) (header >>> 8) & 0xFC;
            if (shown != null) {
                int length = Math.min(shown.length(header), LEGACY - at);
                masks.owned(at, length);
                masks.set(at + 1, 1, 0xFF, 0);
                shown.masks(masks, at, length);
                places[shown.ordinal()] = at;
                copy[link] = (byte) at;
                link = at + 1;
                copy[link] = 0;
            }
            at = next;
        }
        if (copy[LIST] == 0) {
            clear(COMMAND + 2, HAS_LIST);
        }
        int power = place(Capability.POWER_MANAGEMENT);
        if (power != 0) { // the host's own
            clear(power + 2, PME_SUPPORT);
            clear(power + 4, PME_CONTROL);
        }
        if (function.vectors(InterruptKind.INTX) == 0) {
            copy[PIN] = 0;
        }
    }

    private void clear(int at, long bits) {
        ConfigMasks.put(copy, at, 2, ConfigMasks.get(copy, at, 2) & ~bits);
    }

    private void extendedList() {
        int at = LEGACY;
        int link = 0; // the header that points to the next that is shown
        for (int i = 0; at >= LEGACY && i < 4 * MOST; i++) {
            long header = function.readConfig(at, 4);
            if (header == 0 || header == ALL) {
                return;
            }
            ExtendedCapability shown = ExtendedCapability.of((int) header & 0xFFFF);
            int next = (int) (header >>> 20) & 0xFFC;
            if (shown != null || at == LEGACY) {
                if (link != 0) {
                    point(link, at);
                }
                int length = shown == null ? 4 : length(shown, at);
                masks.owned(at, length);
                masks.set(at, 4, ALL, 0);
                ConfigMasks.put(copy, at, 4, shown == null ? 0 : header & 0xFFFFF);
                if (shown != null) {
                    shown.masks(masks, at, length);
                }
                link = at;
            }
            at = next;
        }
    }

    private int length(ExtendedCapability shown, int at) {
        int second = at + (shown == ExtendedCapability.RESIZABLE_BAR ? 8 : 4);
        return Math.clamp(shown.length(function.readConfig(second, 4)), 4, EXTENDED - at);
    }

    private void point(int header, int to) {
        long value = ConfigMasks.get(copy, header, 4) & 0xFFFFF;
        ConfigMasks.put(copy, header, 4, value | (long) to << 20);
    }

    /** {@return whether it has no memory bit: its memory is on unless it sleeps (VF-33)} */
    boolean isMemoryAlwaysOn() {
        return virtual != null;
    }

    int size() {
        return size;
    }

    /** {@return where a capability is that user space sees, or 0} */
    int place(Capability capability) {
        return places[capability.ordinal()];
    }

    int msiX() {
        return place(Capability.MSI_X);
    }

    /** {@return whether an access of both would cross from one capability to another} */
    boolean isOnePiece(int offset, int bytes) {
        return masks.isOneOwner(offset, bytes);
    }

    /** {@return what the copy has, whatever the hardware says} */
    long remembered(int offset, int bytes) {
        return ConfigMasks.get(copy, offset, bytes);
    }

    /** Changes the copy, whatever user space may. */
    void remember(int offset, int bytes, long value) {
        ConfigMasks.put(copy, offset, bytes, value);
    }

    /** {@return whether decode or a BAR is not what it should be: a reset by others (VF-34)} */
    boolean isResetBehindOurBack() {
        long decodes = remembered(COMMAND, 1) & DECODES;
        boolean on = (decodes & ~function.readConfig(COMMAND, 2)) == 0;
        return virtual == null && !(on && areBarsInPlace());
    }

    private boolean areBarsInPlace() {
        for (int bar = 0; bar < BARS; bar++) {
            if (function.readConfig(BAR0 + 4 * bar, 4) != addresses[bar]) {
                return false;
            }
        }
        return true;
    }

    /** {@return the function's power state, 0 to 3} */
    int powerState() {
        int at = place(Capability.POWER_MANAGEMENT);
        return at == 0 ? 0 : (int) function.readConfig(at + 4, 2) & 3;
    }

    /** Brings the function into a power state. */
    void powerState(int state) {
        int at = place(Capability.POWER_MANAGEMENT);
        if (at != 0 && powerState() != state) {
            function.writeConfig(at + 4, 2, function.readConfig(at + 4, 2) & ~3L | state);
        }
    }

    /**
     * {@return what user space reads}
     *
     * @param bytes 1, 2 or 4, aligned
     */
    long read(int offset, int bytes) {
        long virtual = masks.virtual(offset, bytes);
        long all = ALL >>> 32 - 8 * bytes;
        long hardware = virtual == all ? 0 : function.readConfig(offset, bytes);
        return hardware & ~virtual | fixed(offset, bytes) & virtual;
    }

    /** {@return the copy; BARs only have the bits that their size leaves, and what they are} */
    private long fixed(int offset, int bytes) {
        long value = ConfigMasks.get(copy, offset, bytes);
        int dword = offset & ~3;
        int shift = 8 * (offset & 3);
        if (dword == ROM) {
            return value & (sizes[BARS] == 0 ? 0 : sizes[BARS] | 1) >>> shift;
        }
        int bar = (dword - BAR0) / 4;
        if (dword < BAR0 || bar >= BARS) {
            return value;
        }
        long kind = isUpperHalf(bar) ? 0 : kind(bar);
        return value & (sizes[bar] & ~kind) >>> shift | (sizes[bar] & kind) >>> shift;
    }

    /** {@return which low bits of a BAR say what it is} */
    private long kind(int bar) {
        return (sizes[bar] & 1) != 0 ? 3 : 15;
    }

    private boolean isUpperHalf(int bar) {
        return bar > 0 && bar < BARS && (sizes[bar - 1] & 7) == 4 && !isUpperHalf(bar - 1);
    }

    /**
     * User space writes; what follows from it is {@link ConfigSpace}'s.
     *
     * @param bytes 1, 2 or 4, aligned
     */
    void write(int offset, int bytes, long value) {
        long virtual = masks.virtual(offset, bytes);
        long writable = masks.writable(offset, bytes);
        long mine = virtual & writable;
        if (mine != 0) {
            long old = ConfigMasks.get(copy, offset, bytes);
            ConfigMasks.put(copy, offset, bytes, old & ~mine | value & mine);
        }
        long through = writable & ~virtual;
        if (through != 0) {
            long old = function.readConfig(offset, bytes);
            function.writeConfig(offset, bytes, old & ~through | value & through);
        }
    }
}
