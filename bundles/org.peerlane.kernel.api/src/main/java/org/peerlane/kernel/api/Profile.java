package org.peerlane.kernel.api;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which kernel is emulated where kernels differ: a base release plus named patch series that are
 * not merged.
 *
 * <p>Written {@code 7.3+rw-v7}: the base, then each series after a plus. What each stands for is
 * data, asked for through {@link #atLeast} and {@link #has}.
 *
 * @param base the release
 * @param series the series on top of it
 */
public record Profile(Base base, Set<Series> series) {

    /** What a machine runs that does not say: the newest base with the current I/O series. */
    public static final Profile DEFAULT = new Profile(Base.V7_3, EnumSet.of(Series.RW_V7));

    /** A kernel release whose behaviour differs from the one before. */
    public enum Base {
        /** Mappings made at attach time may be cached. */
        V6_14("6.14"),
        /** First release with VFIO export and import into iommufd. */
        V6_19("6.19"),
        /** Signalling a fence answers nothing any more. */
        V7_0("7.0"),
        /** Revocable importers; {@code invalidate_mappings}. */
        V7_1("7.1"),
        /** The release that the golden tables were recorded on. */
        V7_3("7.3");

        private final String text;

        Base(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** A patch series that is not merged, at one of its postings. */
    public enum Series {
        /** Reads and writes on a dma-buf with fences on what is in flight. */
        RW_V3("rw-v3"),
        /** Reads and writes on a dma-buf that drain what is in flight. */
        RW_V7("rw-v7"),
        /** Mapping of a BAR by way of its dma-buf, with revoke for good. */
        REVOKE_V3("revoke-v3"),
        /** Mapping types that exporter and importer negotiate. */
        MAPTYPES("maptypes");

        private final String text;

        Series(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * @throws ErrnoException {@code EINVAL} two postings of one series
     */
    public Profile {
        series = series.isEmpty() ? Set.of() : Set.copyOf(series);
        if (series.contains(Series.RW_V3) && series.contains(Series.RW_V7)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "profile with both rw-v3 and rw-v7: they are one series, choose one");
        }
    }

    /** {@return whether the base is {@code release} or newer} */
    public boolean atLeast(Base release) {
        return base.compareTo(release) >= 0;
    }

    /** {@return whether the series is applied} */
    public boolean has(Series one) {
        return series.contains(one);
    }

    /**
     * Reads what {@link #toString} writes.
     *
     * @throws ErrnoException {@code EINVAL} an unknown base or series; the sentence lists the known
     *     ones
     */
    public static Profile parse(String text) {
        String[] parts = text.strip().split("\\+", -1);
        Base base = find(Base.values(), parts[0], text, "base kernel");
        Set<Series> series = EnumSet.noneOf(Series.class);
        for (int i = 1; i < parts.length; i++) {
            series.add(find(Series.values(), parts[i], text, "series"));
        }
        return new Profile(base, series);
    }

    private static <E extends Enum<E>> E find(E[] all, String part, String text, String what) {
        for (E one : all) {
            if (one.toString().equals(part)) {
                return one;
            }
        }
        String known = Arrays.stream(all).map(Enum::toString).collect(Collectors.joining(", "));
        throw new ErrnoException(
                Errno.EINVAL,
                "profile '%s': '%s' is not a %s; known are %s".formatted(text, part, what, known));
    }

    @Override
    public String toString() {
        return series.stream()
                .sorted()
                .map(s -> "+" + s)
                .collect(Collectors.joining("", base.toString(), ""));
    }
}
