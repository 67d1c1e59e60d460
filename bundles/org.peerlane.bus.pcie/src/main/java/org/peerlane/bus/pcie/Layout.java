package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where BARs and windows could be, found without touching anything: all that is in one aperture is
 * placed anew but for what stays, and with a window everything below it.
 */
final class Layout {
    private static final Range CLOSED = new Range(0, -1);

    private final Sizes sizes;
    private final Map<Claim, Long> bars = new LinkedHashMap<>();

    /** Those above come before those below. */
    private final Map<Aperture, Range> windows = new LinkedHashMap<>();

    /** First to last address. */
    record Range(long first, long last) {}

    private Layout(Sizes sizes) {
        this.sizes = sizes;
    }

    /**
     * {@return one that fits; null: there is none}
     *
     * @param stay what is not touched
     * @param growing one of these that will need addresses behind its end; null: none
     * @param end its last address then
     */
    static @Nullable Layout of(
            Aperture in,
            Sizes sizes,
            Set<? extends Tenant> stay,
            @Nullable Aperture growing,
            long end) {
        if (!in.isOpen() || growing != null && (end > in.last() || end < growing.last())) {
            return null;
        }
        Packing packing = new Packing(in.first(), in.last());
        in.taken()
                .forEach((first, run) -> {
                    if (run.by() == null || stay.contains(run.by())) {
                        packing.exclude(
                                first, run.by() != null && run.by() == growing ? end : run.last());
                    }
                });
        for (Tenant one : stay) { // nobody may sit where it grows to
            if (growing != null && one != growing && overlaps(in, one, growing.last() + 1, end)) {
                return null;
            }
        }
        Packing.Result packed = packing.put(sizes.blocks(in, stay));
        if (packed == null) {
            return null;
        }
        Layout layout = new Layout(sizes);
        for (Aperture window : in.below()) {
            if (!stay.contains(window)) {
                layout.place(window, packed.places().get(window));
            }
        }
        packed.places().forEach(layout::place);
        return layout;
    }

    private static boolean overlaps(Aperture in, Tenant one, long first, long last) {
        return in.taken().subMap(first, last + 1).values().stream().anyMatch(r -> r.by() == one);
    }

    private void place(Tenant what, long base) {
        if (what instanceof Claim claim) {
            bars.put(claim, base);
        }
    }

    private void place(Aperture window, @Nullable Long base) {
        Sizes.Need need = sizes.of(window);
        windows.put(window, base == null ? CLOSED : new Range(base, base + need.bytes() - 1));
        for (Aperture inner : window.below()) {
            Long offset = need.offsets().get(inner);
            place(inner, base == null || offset == null ? null : base + offset);
        }
        need.offsets()
                .forEach((what, offset) -> {
                    if (base != null) {
                        place(what, base + offset);
                    }
                });
    }

    /** {@return by BAR where it goes} */
    Map<Claim, Long> bars() {
        return bars;
    }

    /** {@return the functions that have an address now and lose it, if only for a moment} */
    Set<Endpoint> movers() {
        Set<Endpoint> movers = new LinkedHashSet<>();
        bars.forEach((claim, base) -> {
            if (claim.base() != Aperture.NONE && claim.base() != base) {
                movers.add(claim.function());
            }
        });
        for (Aperture window : moving()) {
            List<Claim> inside = new ArrayList<>();
            window.claims(inside);
            inside.forEach(claim -> movers.add(claim.function()));
        }
        return movers;
    }

    private List<Aperture> moving() {
        List<Aperture> moving = new ArrayList<>();
        windows.forEach((window, range) -> {
            if (window.isOpen() && !staysOpen(window, range)) {
                moving.add(window);
            }
        });
        return moving;
    }

    /** {@return whether its registers can be written without it being closed in between} */
    private static boolean staysOpen(Aperture window, Range range) {
        return window.first() == range.first()
                && range.last() >= window.last()
                && (range.last() >>> 32 == window.last() >>> 32
                        || (range.last() + 1 & 0xFFFF_FFFFL) == 0);
    }

    /** Makes it true, in the books and in the registers. What moves does not decode. */
    void apply() {
        Set<Aperture> changing = new HashSet<>();
        windows.forEach((window, range) -> {
            if (window.first() != range.first() || window.last() != range.last()) {
                changing.add(window);
            }
            if (window.isOpen() && window.above() != null) {
                window.above().vacate(window.first());
            }
        });
        bars.keySet()
                .forEach(claim -> {
                    if (claim.base() != Aperture.NONE) {
                        claim.from().vacate(claim.base());
                    }
                });
        moving().forEach(window -> window.set(CLOSED.first(), CLOSED.last()));
        windows.forEach((window, range) -> {
            if (changing.contains(window)) {
                window.set(range.first(), range.last());
            }
            if (window.isOpen() && window.above() != null) {
                window.above().occupy(range.first(), range.last(), window);
            }
        });
        bars.forEach((claim, base) -> {
            claim.from().occupy(base, base + claim.bytes() - 1, claim);
            if (claim.base() != base) {
                claim.place(base);
            }
        });
    }
}
