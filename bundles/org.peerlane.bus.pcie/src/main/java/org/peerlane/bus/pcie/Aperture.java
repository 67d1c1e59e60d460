package org.peerlane.bus.pcie;

import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Bus addresses that BARs and the windows of ports below are taken from: of a host bridge as wide
 * as it is, of a port as wide as needed. A port's grows at its end, or moves as long as nothing is
 * in it; it asks the one above for the room.
 *
 * <p><b>Spacing.</b> A window that opens is put at a multiple of {@link #SPACINGS} if that fits, so
 * that it has room to grow.
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
final class Aperture {
    private static final long[] SPACINGS = {1L << 40, 1L << 36, 1L << 32, 1L << 28, 1L << 24, 1};

    private final @Nullable Aperture above;
    private final long grain;
    private final Consumer<Aperture> moved;

    /** First to last address of what is taken. */
    private final TreeMap<Long, Long> taken = new TreeMap<>();

    private long first;
    private long last;

    private Aperture(@Nullable Aperture above, long grain, Consumer<Aperture> moved) {
        this.above = above;
        this.grain = grain;
        this.moved = moved;
        first = 0;
        last = -1;
    }

    /** {@return one that neither grows nor moves} */
    static Aperture fixed(long first, long last) {
        Aperture made = new Aperture(null, 1, a -> {});
        made.first = first;
        made.last = last;
        return made;
    }

    /**
     * {@return a closed one}
     *
     * @param grain its ends are multiples
     * @param moved told when its ends have changed
     */
    Aperture below(long grain, Consumer<Aperture> moved) {
        return new Aperture(this, grain, moved);
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

    /** Keeps addresses out of its hands, such as RAM. */
    void reserve(long from, long to) {
        if (from >= 0 && to >= from) {
            taken.merge(from, to, Math::max);
        }
    }

    /**
     * {@return the lowest free address that fits, after growing if it must}
     *
     * @param bytes positive
     * @param align a power of two
     */
    OptionalLong allocate(long bytes, long align) {
        OptionalLong base = fit(bytes, align);
        if (base.isEmpty() && above != null && grow(above, bytes, align)) {
            base = fit(bytes, align);
        }
        base.ifPresent(b -> taken.put(b, b + bytes - 1));
        return base;
    }

    private OptionalLong fit(long bytes, long align) {
        if (!isOpen()) {
            return OptionalLong.empty();
        }
        long base = align(first, align);
        for (Map.Entry<Long, Long> run : taken.entrySet()) {
            if (run.getKey() > base + (bytes - 1)) {
                break;
            }
            if (run.getValue() >= base) {
                base = align(run.getValue() + 1, align);
            }
        }
        long end = base + (bytes - 1);
        return base < first || end < base || end > last
                ? OptionalLong.empty()
                : OptionalLong.of(base);
    }

    private boolean grow(Aperture from, long bytes, long align) {
        if (!taken.isEmpty()) {
            long base = align(taken.lastEntry().getValue() + 1, align);
            long end = align(base + bytes, grain) - 1;
            return base > 0 && end > last && from.extend(this, end) && set(first, end);
        }
        close();
        long whole = align(bytes, grain);
        for (long spacing : SPACINGS) {
            OptionalLong base = from.allocate(whole, Math.max(Math.max(align, grain), spacing));
            if (base.isPresent()) {
                return set(base.getAsLong(), base.getAsLong() + whole - 1);
            }
        }
        return false;
    }

    /** Makes one below wider at its end, if nothing is in the way. */
    private boolean extend(Aperture child, long end) {
        Map.Entry<Long, Long> next = taken.higherEntry(child.first);
        if (next != null && next.getKey() <= end) {
            return false;
        }
        if (end > last
                && (above == null
                        || !above.extend(this, align(end + 1, grain) - 1)
                        || !set(first, align(end + 1, grain) - 1))) {
            return false;
        }
        taken.put(child.first, end);
        return true;
    }

    private boolean set(long from, long to) {
        first = from;
        last = to;
        moved.accept(this);
        return true;
    }

    /** Gives addresses back; a window that becomes empty closes. */
    void free(long base) {
        if (taken.remove(base) != null && taken.isEmpty()) {
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

    boolean contains(long address) {
        return isOpen() && first <= address && address <= last;
    }

    private static long align(long address, long to) {
        return address + (to - 1) & -to;
    }
}
