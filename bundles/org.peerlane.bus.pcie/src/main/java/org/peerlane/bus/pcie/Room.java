package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Looks for a {@link Layout} that has an address for a BAR which has found none. What is nobody's
 * moves first; of functions in use as few as possible, and only if they may.
 *
 * <p><b>Search.</b> From the BAR's own bus up to the host bridge: on each level first with all that
 * is in use where it is, then with ever more of it placed anew, the smallest first, and of those
 * whatever could stay. At the host bridge that ends with the whole tree packed anew, so that it
 * does not matter who came when.
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
final class Room {
    /** With more than these nobody looks whether one of them could stay after all. */
    private static final int PUT_BACK = 64;

    private final Claim claim;
    private final Predicate<Endpoint> inUse;

    /** From generous to tight. */
    private final List<Sizes> sizes;

    /**
     * @param claim of a BAR that has found no address
     * @param inUse whether a function has to be stopped before it moves
     */
    Room(Claim claim, Predicate<Endpoint> inUse) {
        this.claim = claim;
        this.inUse = inUse;
        sizes = Sizes.generousToTight(claim);
    }

    /**
     * {@return a layout after which the BAR has its place, or can be allocated; null: there is
     * none}
     *
     * @param mayStop what is in use may move
     */
    @Nullable Layout find(boolean mayStop) {
        Aperture path = null;
        long end = Aperture.NONE;
        for (Aperture level = claim.from(); level != null; level = level.above()) {
            Layout best = null;
            for (Sizes with : sizes) {
                best = better(best, at(level, path, end, with, mayStop));
                if (best != null && stopped(best) == 0) {
                    return best;
                }
            }
            if (best != null) {
                return best;
            }
            end = level.stretched(claim, path, end);
            path = level;
        }
        return null;
    }

    /**
     * @param path the window of this level that leads to the BAR; null: the BAR is directly in it
     * @param end where that would end if it grew; {@link Aperture#NONE}: it cannot
     */
    private @Nullable Layout at(
            Aperture level, @Nullable Aperture path, long end, Sizes with, boolean mayStop) {
        boolean mayMove = path == null || mayStop || !isUsed(path);
        Layout moved = mayMove ? around(level, with, null, end, mayStop) : null;
        if (path == null || end == Aperture.NONE || moved != null && stopped(moved) == 0) {
            return moved;
        }
        return better(moved, around(level, with, path, end, mayStop));
    }

    private @Nullable Layout better(@Nullable Layout one, @Nullable Layout other) {
        return other != null && (one == null || stopped(other) < stopped(one)) ? other : one;
    }

    /**
     * @param growing stays and grows; null: what leads to the BAR is placed anew
     */
    private @Nullable Layout around(
            Aperture level, Sizes with, @Nullable Aperture growing, long end, boolean mayStop) {
        Set<Tenant> stay = new LinkedHashSet<>();
        if (growing != null) {
            stay.add(growing);
        }
        List<Tenant> used = used(level, growing);
        stay.addAll(used);
        Layout found = Layout.of(level, with, stay, growing, end);
        if (found != null || !mayStop) {
            return found;
        }
        int out = 0;
        while (found == null && out < used.size()) {
            for (int more = Math.max(1, out); more > 0 && out < used.size(); more--) {
                stay.remove(used.get(out++));
            }
            found = Layout.of(level, with, stay, growing, end);
        }
        for (int i = out - 1; found != null && i >= 0 && out <= PUT_BACK; i--) {
            stay.add(used.get(i));
            Layout fewer = Layout.of(level, with, stay, growing, end);
            if (fewer == null) {
                stay.remove(used.get(i));
            } else {
                found = fewer;
            }
        }
        return found;
    }

    /** {@return what is in use, the smallest first, but for what leads to the BAR} */
    private List<Tenant> used(Aperture level, @Nullable Aperture growing) {
        List<Tenant> used = new ArrayList<>();
        level.taken()
                .values()
                .forEach(run -> {
                    Tenant one = run.by();
                    if (one != null && one != growing && !leads(one) && isUsed(one)) {
                        used.add(one);
                    }
                });
        used.sort(Comparator.comparingLong(Room::bytes).thenComparingInt(Tenant::rank));
        return used;
    }

    private boolean leads(Tenant one) {
        for (Aperture up = claim.from(); up != null; up = up.above()) {
            if (up == one) {
                return true;
            }
        }
        return false;
    }

    private static long bytes(Tenant one) {
        return switch (one) {
            case Claim bar -> bar.bytes();
            case Aperture window -> window.bytes();
        };
    }

    private boolean isUsed(Tenant one) {
        List<Claim> inside = new ArrayList<>();
        switch (one) {
            case Claim bar -> inside.add(bar);
            case Aperture window -> window.claims(inside);
        }
        return inside.stream().anyMatch(bar -> inUse.test(bar.function()));
    }

    private long stopped(Layout layout) {
        return layout.movers().stream().filter(inUse).count();
    }
}
