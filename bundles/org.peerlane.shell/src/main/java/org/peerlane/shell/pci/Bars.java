package org.peerlane.shell.pci;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.IoPorts;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/** The BARs of a function and its expansion ROM, in lspci's words. */
final class Bars {
    private static final int IO = 1;
    private static final int TYPE = 6;
    private static final int TYPE_32 = 0;
    private static final int TYPE_1M = 2;
    private static final int TYPE_64 = 4;
    private static final int PREFETCHABLE = 8;
    private static final int ROM_ENABLE = 1;
    private static final long ROM_ADDRESS = 0xFFFF_F800L;

    private Bars() {}

    /** {@return where the bus has put a BAR, or null: nowhere, or there is no such BAR} */
    static @Nullable AddressRange<PhysicalAddress> range(PcieFunction function, int index) {
        try {
            return function.bar(index);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENODEV) {
                return null;
            }
            throw e;
        }
    }

    private static @Nullable IoPorts ports(PcieFunction function, int index) {
        try {
            return function.ports(index);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENODEV) {
                return null;
            }
            throw e;
        }
    }

    /** {@return whether the function has any memory BAR} */
    static boolean hasMemory(ConfigView config) {
        for (int i = 0; i < config.bars(); i++) {
            long low = config.u32(ConfigView.BAR0 + 4 * i);
            if ((low & IO) == 0 && low != 0 || range(config.function(), i) != null) {
                return true;
            }
        }
        return false;
    }

    /** Writes a line for each BAR. */
    static void show(Lines out, ConfigView config, int verbose) {
        int count = config.bars();
        for (int i = 0; i < count; i++) {
            long low = config.u32(ConfigView.BAR0 + 4 * i);
            if (low == 0xFFFF_FFFFL) {
                low = 0;
            }
            AddressRange<PhysicalAddress> range = range(config.function(), i);
            IoPorts ports = ports(config.function(), i);
            if (low == 0 && range == null && ports == null) {
                continue;
            }
            out.add(verbose > 1 ? "\tRegion %d: ".formatted(i) : "\t");
            if ((low & IO) != 0 || ports != null) {
                port(out, config, ports, low & ~3L);
            } else {
                boolean wide = (low & TYPE) == TYPE_64;
                boolean broken = wide && i == count - 1;
                wide &= !broken;
                long high = wide ? config.u32(ConfigView.BAR0 + 4 * i + 4) << 32 : 0;
                memory(out, range, high | low & ~0xFL, broken);
                boolean virtual = range != null && (high | low & ~0xFL) == 0;
                kind(out, (int) low, virtual || (config.u16(ConfigView.COMMAND) & 2) != 0);
                i += wide ? 1 : 0;
            }
            out.line(size(ports != null ? ports.count() : range == null ? 0 : range.bytes()));
        }
    }

    private static void port(Lines out, ConfigView config, @Nullable IoPorts ports, long register) {
        boolean on = (config.u16(ConfigView.COMMAND) & 1) != 0;
        long first = ports == null ? register : ports.first();
        boolean virtual = ports != null && register == 0;
        out.add("I/O ports at ");
        out.add(first != 0 || on ? "%04x".formatted(first) : "<unassigned>");
        out.add(virtual ? " [virtual]" : on ? "" : " [disabled]");
    }

    private static void memory(
            Lines out,
            @Nullable AddressRange<PhysicalAddress> range,
            long register,
            boolean broken) {
        long address = range == null ? register : range.first().value();
        out.add("Memory at ");
        out.add(
                broken
                        ? "<broken-64-bit-slot>"
                        : address == 0 ? "<unassigned>" : "%08x".formatted(address));
        if (range != null && register == 0) {
            out.add(" [virtual]"); // the bus gave it an address, but the register lost it
        }
    }

    private static void kind(Lines out, int low, boolean decodes) {
        String type =
                switch (low & TYPE) {
                    case TYPE_32 -> "32-bit";
                    case TYPE_1M -> "low-1M";
                    case TYPE_64 -> "64-bit";
                    default -> "type 3";
                };
        out.add(" (%s, %sprefetchable)".formatted(type, (low & PREFETCHABLE) != 0 ? "" : "non-"));
        out.add(decodes ? "" : " [disabled]");
    }

    /** Writes a line for the expansion ROM at a register, if there is one. */
    static void rom(Lines out, ConfigView config, int register) {
        long value = config.u32(register);
        AddressRange<PhysicalAddress> range = range(config.function(), RomLayout.INDEX);
        if (value == 0xFFFF_FFFFL || value == 0 && range == null) {
            return;
        }
        boolean virtual = range != null && (value & ROM_ADDRESS) == 0;
        long address = range == null ? value & ROM_ADDRESS : range.first().value();
        boolean decodes = (config.u16(ConfigView.COMMAND) & 2) != 0;
        boolean enabled = !virtual && (value & ROM_ENABLE) != 0;
        out.add("\tExpansion ROM at ");
        out.add(address == 0 ? "<unassigned>" : "%08x".formatted(address));
        out.add(virtual ? " [virtual]" : "");
        out.add(enabled ? decodes ? "" : " [disabled by cmd]" : " [disabled]");
        out.line(range == null ? "" : size(range.bytes()));
    }

    /** {@return a size as lspci writes it, such as {@code [size=16M]}; 0 bytes: nothing} */
    static String size(long bytes) {
        if (bytes == 0) {
            return "";
        }
        String units = "KMGT";
        long left = bytes;
        int unit = 0;
        while (unit < units.length() && left % 1024 == 0) {
            left /= 1024;
            unit++;
        }
        return " [size=%d%s]".formatted(left, unit == 0 ? "" : units.charAt(unit - 1));
    }
}
