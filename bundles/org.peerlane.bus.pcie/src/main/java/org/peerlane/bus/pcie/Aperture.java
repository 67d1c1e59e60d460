package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Bus addresses of one kind that BARs and the windows of ports below are taken from: of a host
 * bridge as wide as it is, of a port as wide as needed. These are the books; a port's registers
 * follow by {@code moved}.
 *
 * <p><b>Growth.</b> {@link #allocate} opens a closed window or makes an open one wider at its end;
 * whatever is there stays where it is. A {@link Layout} puts things elsewhere.
 *
 * <p><b>Spacing.</b> A window that opens is put where it has room to grow, if that fits: directly
 * below a host bridge at a multiple of {@link #SPACINGS}, further down of {@link #NESTED} times its
 * size.
 *
 * <p><b>Threads.</b> The life-cycle thread only, after the constructor of the bus.
 */
final class Aperture implements Tenant {
    /** No address. */
    static final long NONE = 0;

    private static final long[] SPACINGS = {1L << 40, 1L << 36, 1L << 32, 1L << 28, 1L << 24, 1};
    private static final int NESTED = 4;
    private static final long LOW_HALF = 0xFFFF_FFFFL;

    private final @Nullable Aperture above;
    private final List<Aperture> below = new ArrayList<>();
    private final String name;
    private final int rank;
    private final long grain;
    private final Consumer<Aperture> moved;

    /** By first address. */
    private final TreeMap<Long, Run> taken = new TreeMap<>();

    private long reserve;
    private long first;
    private long last = -1;

    /**
     * What is taken by one.
     *
     * @param by null: RAM, which no device may have
     */
    record Run(long last, @Nullable Tenant by) {}

    private Aperture(
            @Nullable Aperture above,
            String name,
            int rank,
            long grain,
            long reserve,
            Consumer<Aperture> moved) {
        this.above = above;
        this.name = name;
        this.rank = rank;
        this.grain = grain;
        this.reserve = reserve;
        this.moved = moved;
    }

    /** {@return one that neither grows nor moves} */
    static Aperture fixed(String name, long first, long last) {
        Aperture made = new Aperture(null, name, 0, 1, 0, a -> {});
        made.first = first;
        made.last = last;
        return made;
    }

    /**
     * {@return a closed one below this one}
     *
     * @param port whose window it is
     * @param grain its ends are multiples
     * @param reserve bytes that it should have at least
     * @param moved told when its ends have changed
     */
    Aperture below(Port port, long grain, long reserve, Consumer<Aperture> moved) {
        Aperture made = new Aperture(this, port.name(), port.key() << 4, grain, reserve, moved);
        below.add(made);
        return made;
    }

    @Nullable Aperture above() {
        return above;
    }

    /** {@return the windows of the ports on its bus, closed ones too} */
    List<Aperture> below() {
        return below;
    }

    long grain() {
        return grain;
    }

    /** {@return bytes that it should have at least} */
    long reserve() {
        return reserve;
    }

    /** It can have none. */
    void dropReserve() {
        reserve = 0;
    }

    /** {@return the host bridge's} */
    Aperture top() {
        return above == null ? this : above.top();
    }

    /** {@return how wide it is} */
    long bytes() {
        return last - first + 1;
    }

    long first() {
        return first;
    }

    long last() {
        return last;
    }

    boolean isOpen() {
        return last >= first;
    }

    /** {@return what is taken, by first address} */
    SortedMap<Long, Run> taken() {
        return Collections.unmodifiableSortedMap(taken);
    }

    /** Collects the BARs that are in it and below. */
    void claims(Collection<? super Claim> into) {
        for (Run run : taken.values()) {
            if (run.by() instanceof Claim claim) {
                into.add(claim);
            } else if (run.by() instanceof Aperture window) {
                window.claims(into);
            }
        }
    }

    /** Keeps addresses out of its hands, such as RAM. */
    void exclude(long from, long to) {
        if (from >= 0 && to >= from) {
            taken.merge(from, new Run(to, null), (a, b) -> a.last() > b.last() ? a : b);
        }
    }

    /**
     * {@return the lowest free address that fits, after growing if it must; {@link #NONE}: nothing
     * fits}
     *
     * @param bytes 0 or less: more than fits anywhere
     * @param align a power of two
     */
    long allocate(long bytes, long align, Tenant by) {
        if (bytes <= 0) {
            return NONE;
        }
        long base = fit(bytes, align);
        if (base == NONE && above != null && grow(above, bytes, align)) {
            base = fit(bytes, align);
        }
        if (base != NONE) {
            occupy(base, base + bytes - 1, by);
        }
        return base;
    }

    private long fit(long bytes, long align) {
        if (!isOpen()) {
            return NONE;
        }
        long base = align(first, align);
        for (Map.Entry<Long, Run> run : taken.entrySet()) {
            if (run.getKey() > base + (bytes - 1)) {
                break;
            }
            if (run.getValue().last() >= base) {
                base = align(run.getValue().last() + 1, align);
            }
        }
        long end = base + (bytes - 1);
        return base < first || end < base || end > last ? NONE : base;
    }

    private boolean grow(Aperture from, long bytes, long align) {
        if (isOpen()) {
            long end = stretched(bytes, align);
            return end > last && from.extend(this, end) && set(first, end);
        }
        long whole = align(Math.max(bytes, reserve), grain);
        long nested = Long.highestOneBit(whole) * NESTED;
        for (long spacing : from.above == null ? SPACINGS : new long[] {nested, 1}) {
            long base = from.allocate(whole, Math.max(Math.max(align, grain), spacing), this);
            if (base != NONE) {
                return set(base, base + whole - 1);
            }
        }
        return false;
    }

    /** {@return where it would end with so many bytes behind all that is in it} */
    private long stretched(long bytes, long align) {
        long free = taken.isEmpty() ? first : taken.lastEntry().getValue().last() + 1;
        return wholeEnd(align(free, align) + bytes - 1);
    }

    /**
     * Past a multiple of 4 GiB a window that grows ends at the next, so that its limit can be
     * written in steps of which none is too low or too high.
     */
    private long wholeEnd(long end) {
        long whole = align(end + 1, grain) - 1;
        return whole >>> 32 == last >>> 32 ? whole : whole | LOW_HALF;
    }

    /**
     * {@return where it would end if it grew for a BAR in it or below; {@link #NONE}: it cannot
     * grow, even with room behind it}
     *
     * @param window the one of those directly in it that grows; null: the BAR is directly in it
     * @param end last address that this one needs
     */
    long stretched(Claim claim, @Nullable Aperture window, long end) {
        if (!isOpen() || claim.bytes() <= 0) {
            return NONE;
        }
        if (window == null) {
            long grown = stretched(claim.bytes(), claim.align());
            return grown > last ? grown : NONE;
        }
        Map.Entry<Long, Run> next = taken.higherEntry(window.first);
        return end == NONE || next != null && next.getKey() <= end
                ? NONE
                : Math.max(last, wholeEnd(end));
    }

    /** Makes one below wider at its end, if nothing is in the way. */
    private boolean extend(Aperture child, long end) {
        Map.Entry<Long, Run> next = taken.higherEntry(child.first);
        if (next != null && next.getKey() <= end) {
            return false;
        }
        if (end > last) {
            long wider = wholeEnd(end);
            if (above == null || !above.extend(this, wider) || !set(first, wider)) {
                return false;
            }
        }
        occupy(child.first, end, child);
        return true;
    }

    /** Puts its ends elsewhere; the one above is told by {@link #occupy}. */
    boolean set(long from, long to) {
        first = from;
        last = to;
        moved.accept(this);
        return true;
    }

    /** Tells whoever is told of its ends, and those below. */
    void retell() {
        moved.accept(this);
        below.forEach(Aperture::retell);
    }

    void occupy(long from, long to, Tenant by) {
        taken.put(from, new Run(to, by));
    }

    /** Takes one out of the books; the window stays as it is. */
    void vacate(long from) {
        taken.remove(from);
    }

    /** Gives addresses back; a window that becomes empty and keeps nothing free closes. */
    void free(long base) {
        if (taken.remove(base) != null && taken.isEmpty() && reserve == 0) {
            close();
        }
    }

    private void close() {
        if (above != null && isOpen()) {
            long was = first;
            set(0, -1);
            above.free(was);
        }
    }

    static long align(long address, long to) {
        return address + (to - 1) & -to;
    }

    @Override
    public int rank() {
        return rank;
    }

    /** As messages name it. */
    @Override
    public String toString() {
        String what = above == null ? name : "the window of port " + name;
        return isOpen() ? "%s (0x%x to 0x%x)".formatted(what, first, last) : what + " (closed)";
    }
}
