package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Which BAR has which addresses, and who moves for whom.
 *
 * <p><b>A BAR that comes</b> takes free addresses of its bus, or the windows above grow for it, or
 * {@link Room} finds it a place by moving others: first what nobody uses. Functions in use are
 * stopped and moved for the first device of a slot, which is the machine's own although it may come
 * late; for what is plugged in later only if the board says so ({@code rebalance}).
 *
 * <p><b>A BAR without an address</b> is named once, with the reason, and tried again whenever
 * somebody leaves.
 *
 * <p><b>Threads.</b> The life-cycle thread only, after the constructor of the bus.
 */
final class Placement {
    private static final Logger LOG = LogManager.getLogger(Placement.class);
    private static final int MOST_NAMED = 3;

    private final Fabric fabric;
    private final boolean rebalance;
    private final Map<Endpoint, List<Claim>> claims = new LinkedHashMap<>();

    /**
     * @param rebalance whoever comes may stop those who are in its way
     */
    Placement(Fabric fabric, boolean rebalance) {
        this.fabric = fabric;
        this.rebalance = rebalance;
    }

    /** Opens the windows of the hot-plug slots below a host bridge that is empty. */
    void reserve(Aperture top) {
        checkReserves(top, top);
        for (Sizes sizes : Sizes.generousToTight(null)) {
            Layout layout = Layout.of(top, sizes, Set.of(), null, 0);
            if (layout != null) {
                layout.apply();
                if (!sizes.reserves()) {
                    LOG.warn(
                            "{} cannot hold what all hot-plug slots below keep free; their windows"
                                    + " open when something comes",
                            top);
                }
                return;
            }
        }
    }

    private static void checkReserves(Aperture of, Aperture top) {
        for (Aperture window : of.below()) {
            if (window.reserve() > top.bytes()) {
                LOG.warn(
                        "{} is to keep 0x{} bytes free; expected at most the 0x{} bytes of {};"
                                + " it keeps none",
                        window,
                        Long.toHexString(window.reserve()),
                        Long.toHexString(top.bytes()),
                        top);
                window.dropReserve();
            }
            checkReserves(window, top);
        }
    }

    /** A function has come that has such a BAR. */
    void add(Claim claim) {
        claims.computeIfAbsent(claim.function(), f -> new ArrayList<>()).add(claim);
    }

    /**
     * Gives the BARs of a function that has come their addresses.
     *
     * @param boot it is the first device of its slot
     */
    void settle(Endpoint function, Standstill standstill, boolean boot) {
        for (Claim claim : of(function)) {
            Room room = new Room(claim, standstill::isUsed);
            if (!place(claim, room, standstill, boot || rebalance)) {
                claim.place(Aperture.NONE);
                LOG.warn(
                        "{} has no address: {}",
                        claim,
                        reason(claim, room, standstill, boot || rebalance));
            }
        }
    }

    /** {@return the BARs of a function, the biggest first} */
    private List<Claim> of(Endpoint function) {
        return claims.getOrDefault(function, List.of());
    }

    private boolean place(Claim claim, Room room, Standstill standstill, boolean mayStop) {
        if (claim.bytes() <= 0 || claim.bytes() > claim.from().top().bytes()) {
            return false;
        }
        if (allocate(claim)) {
            return true;
        }
        Layout layout = room.find(false);
        if (layout == null && mayStop) {
            layout = room.find(true);
        }
        if (layout == null) {
            return false;
        }
        apply(layout, standstill);
        return claim.base() != Aperture.NONE || allocate(claim);
    }

    private static boolean allocate(Claim claim) {
        long base = claim.from().allocate(claim.bytes(), claim.align(), claim);
        if (base != Aperture.NONE) {
            claim.place(base);
        }
        return base != Aperture.NONE;
    }

    private void apply(Layout layout, Standstill standstill) {
        boolean moves = false;
        for (Endpoint function : layout.movers()) {
            moves = true;
            if (standstill.isUsed(function)) {
                standstill.stop(function);
            }
        }
        if (moves) {
            fabric.drain(); // what was under way to the old addresses
        }
        layout.apply();
    }

    private static String reason(Claim claim, Room room, Standstill standstill, boolean mayStop) {
        Aperture top = claim.from().top();
        if (claim.bytes() <= 0 || claim.bytes() > top.bytes()) {
            return "%s has 0x%x bytes in all".formatted(top, top.bytes());
        }
        Layout other = mayStop ? null : room.find(true);
        if (other != null) {
            Set<Endpoint> movers = new LinkedHashSet<>(other.movers());
            movers.removeIf(function -> !standstill.isUsed(function));
            String who =
                    movers.stream()
                            .limit(MOST_NAMED)
                            .map(standstill::user)
                            .collect(Collectors.joining("; "));
            int more = movers.size() - MOST_NAMED;
            return "%s has no room for it unless others move: %s%s"
                    .formatted(claim.from(), who, more > 0 ? "; and %d more".formatted(more) : "");
        }
        List<Claim> placed = new ArrayList<>();
        top.claims(placed);
        return "%s has no room for it beside the 0x%x bytes of other BARs"
                .formatted(top, placed.stream().mapToLong(Claim::bytes).sum());
    }

    /** Takes the addresses of a function back. */
    void release(Endpoint function) {
        List<Claim> gone = claims.remove(function);
        if (gone != null) {
            for (Claim claim : gone) {
                if (claim.base() != Aperture.NONE) {
                    claim.from().free(claim.base());
                }
            }
        }
    }

    /** {@return functions that nobody uses and that have got an address now which they lacked} */
    List<Endpoint> retry(Standstill standstill) {
        List<Endpoint> helped = new ArrayList<>();
        claims.forEach((function, all) -> {
            for (Claim claim : all) {
                if (claim.base() == Aperture.NONE
                        && !standstill.isUsed(function)
                        && place(claim, new Room(claim, standstill::isUsed), standstill, false)) {
                    LOG.info("{} has an address now", claim);
                    if (!helped.contains(function)) {
                        helped.add(function);
                    }
                }
            }
        });
        return helped;
    }

    /** Gives a BAR another size, the way of {@link org.peerlane.bus.api.PcieFunction#resizeBar}. */
    void resize(Endpoint function, int index, long bytes, Standstill standstill) {
        ResizableBar bar = ResizableBar.of(function, index);
        bar.check(bytes);
        Claim before = claim(function, index);
        Claim now = before.resized(bytes);
        long base = before.base();
        if (base != Aperture.NONE) {
            before.from().vacate(base);
        }
        long size = bar.size();
        bar.write(bytes);
        Room room = new Room(now, standstill::isUsed);
        if (place(now, room, standstill, rebalance)) {
            of(function).replaceAll(claim -> claim == before ? now : claim);
            return;
        }
        String why = reason(now, room, standstill, rebalance);
        bar.write(size);
        if (base != Aperture.NONE) {
            before.from().occupy(base, base + before.bytes() - 1, before);
        }
        before.place(base);
        throw new ErrnoException(Errno.ENOSPC, "%s has no address: %s".formatted(now, why));
    }

    private Claim claim(Endpoint function, int index) {
        return of(function).stream()
                .filter(claim -> claim.index() == index)
                .findFirst()
                .orElseThrow(() ->
                        new ErrnoException(
                                Errno.EINVAL,
                                "%s has no memory BAR %d".formatted(function, index)));
    }
}
