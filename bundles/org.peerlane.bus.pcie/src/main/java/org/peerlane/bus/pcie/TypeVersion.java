package org.peerlane.bus.pcie;

import java.util.Comparator;

/**
 * The version of a kind of device, ordered as OSGi orders the versions of bundles.
 *
 * @param major first number
 * @param minor second number
 * @param micro third number
 * @param qualifier compared as text
 */
public record TypeVersion(int major, int minor, int micro, String qualifier)
        implements Comparable<TypeVersion> {

    private static final Comparator<TypeVersion> ORDER =
            Comparator.comparingInt(TypeVersion::major)
                    .thenComparingInt(TypeVersion::minor)
                    .thenComparingInt(TypeVersion::micro)
                    .thenComparing(TypeVersion::qualifier);

    /** {@return a version without a qualifier} */
    public static TypeVersion of(int major, int minor, int micro) {
        return new TypeVersion(major, minor, micro, "");
    }

    @Override
    public int compareTo(TypeVersion other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        String numbers = major + "." + minor + "." + micro;
        return qualifier.isEmpty() ? numbers : numbers + "." + qualifier;
    }
}
