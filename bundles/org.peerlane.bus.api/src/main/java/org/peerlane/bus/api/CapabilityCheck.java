package org.peerlane.bus.api;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Whether capabilities go with each other and with the BARs. */
final class CapabilityCheck {
    /** SV, TB and UF. */
    private static final int PORT_ACS = 0x13;

    private CapabilityCheck() {}

    static void check(List<BarLayout> bars, List<CapabilityLayout> capabilities) {
        Set<Object> kinds = new HashSet<>();
        boolean express =
                capabilities.stream().anyMatch(CapabilityLayout.Express.class::isInstance);
        for (CapabilityLayout capability : capabilities) {
            Check.that(
                    express || !capability.extended(),
                    "%s is an extended capability; it takes the Express one, too",
                    capability);
            switch (capability) {
                case CapabilityLayout.Vendor _ -> {}
                case CapabilityLayout.ResizableBar resizable -> resizable(bars, kinds, resizable);
                case CapabilityLayout.MsiX msiX -> {
                    once(kinds, msiX);
                    msiX(bars, msiX);
                }
                case CapabilityLayout.Acs acs -> {
                    once(kinds, acs);
                    Check.that(
                            (acs.bits() & PORT_ACS) == 0,
                            "ACS bits 0x%x; SV, TB and UF (0x13) are for ports only",
                            acs.bits());
                }
                default -> once(kinds, capability);
            }
        }
        for (BarLayout bar : bars) {
            boolean exact = bar.memory() == null || bar.memory().byteSize() == bar.bytes();
            Check.that(
                    exact || kinds.contains(bar.index()),
                    "BAR %d of %d bytes has a longer segment and is not resizable",
                    bar.index(),
                    bar.bytes());
        }
    }

    private static void once(Set<Object> kinds, CapabilityLayout capability) {
        Check.that(
                kinds.add(capability.getClass()),
                "a second %s; a function has at most one",
                capability);
    }

    private static void resizable(
            List<BarLayout> bars, Set<Object> kinds, CapabilityLayout.ResizableBar resizable) {
        Check.that(kinds.add(resizable.bar()), "%s is the second of its BAR", resizable);
        BarLayout bar = memoryBar(bars, resizable.bar(), resizable);
        Check.that(
                (bar.bytes() & resizable.sizes()) != 0,
                "BAR %d of %d bytes is none of its sizes 0x%x",
                bar.index(),
                bar.bytes(),
                resizable.sizes());
        long largest = Long.highestOneBit(resizable.sizes());
        Check.that(
                bar.wide() || largest <= 1L << 31,
                "BAR %d may grow to 0x%x bytes; a 32-bit BAR has at most 2^31",
                bar.index(),
                largest);
        Check.that(
                bar.memory() == null || bar.memory().byteSize() >= largest,
                "BAR %d may grow to 0x%x bytes; its segment is shorter",
                bar.index(),
                largest);
    }

    private static void msiX(List<BarLayout> bars, CapabilityLayout.MsiX msiX) {
        BarLayout table = memoryBar(bars, msiX.tableBar(), msiX);
        BarLayout pba = memoryBar(bars, msiX.pbaBar(), msiX);
        inside("MSI-X table", msiX.tableOffset(), msiX.tableBytes(), table);
        inside("MSI-X PBA", msiX.pbaOffset(), msiX.pbaBytes(), pba);
        Check.that(
                table.index() != pba.index()
                        || msiX.tableOffset() + msiX.tableBytes() <= msiX.pbaOffset()
                        || msiX.pbaOffset() + msiX.pbaBytes() <= msiX.tableOffset(),
                "table and PBA of %s overlap",
                msiX);
    }

    private static void inside(String what, long offset, long bytes, BarLayout bar) {
        Check.that(
                bytes <= bar.bytes() && offset <= bar.bytes() - bytes,
                "%s at 0x%x of %d bytes does not fit into BAR %d of %d bytes",
                what,
                offset,
                bytes,
                bar.index(),
                bar.bytes());
    }

    private static BarLayout memoryBar(List<BarLayout> bars, int index, CapabilityLayout who) {
        @Nullable BarLayout found = null;
        for (BarLayout bar : bars) {
            if (bar.index() == index && !bar.io()) {
                found = bar;
            }
        }
        if (found == null) {
            throw new IllegalArgumentException(
                    "%s: there is no memory BAR %d".formatted(who, index));
        }
        return found;
    }
}
