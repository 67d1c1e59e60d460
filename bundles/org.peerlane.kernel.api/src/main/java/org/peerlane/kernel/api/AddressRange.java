package org.peerlane.kernel.api;

import java.util.Optional;

/**
 * The addresses {@code first} to {@code last} of one space. Both ends belong to it, so that a range
 * can end at 2^64-1; an empty range does not exist.
 *
 * @param first the lowest address
 * @param last the highest address, inclusive
 * @param <A> the kind of address
 */
public record AddressRange<A extends Address<A>>(A first, A last) {

    /**
     * @throws ErrnoException {@code EINVAL} {@code first} is after {@code last}
     */
    public AddressRange {
        if (first.compareTo(last) > 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "a range cannot start at %s and end at %s".formatted(first, last));
        }
    }

    /**
     * {@return {@code bytes} addresses from {@code first} on}
     *
     * @param bytes unsigned
     * @throws ErrnoException {@code EINVAL} no bytes; {@code EOVERFLOW} the last would be past
     *     2^64-1
     */
    public static <A extends Address<A>> AddressRange<A> ofLength(A first, long bytes) {
        if (bytes == 0) {
            throw new ErrnoException(Errno.EINVAL, "a range of 0 bytes at " + first);
        }
        return new AddressRange<>(first, first.plus(bytes - 1));
    }

    /** {@return the number of bytes, unsigned; 0 stands for 2^64, the whole space} */
    public long bytes() {
        return last.value() - first.value() + 1;
    }

    /** {@return whether {@code address} lies inside} */
    public boolean contains(A address) {
        return first.compareTo(address) <= 0 && address.compareTo(last) <= 0;
    }

    /** {@return whether all of {@code other} lies inside} */
    public boolean contains(AddressRange<A> other) {
        return contains(other.first) && contains(other.last);
    }

    /** {@return whether the two have an address in common} */
    public boolean overlaps(AddressRange<A> other) {
        return first.compareTo(other.last) <= 0 && other.first.compareTo(last) <= 0;
    }

    /** {@return the addresses that both have, if any} */
    public Optional<AddressRange<A>> intersection(AddressRange<A> other) {
        if (!overlaps(other)) {
            return Optional.empty();
        }
        A from = first.compareTo(other.first) >= 0 ? first : other.first;
        A to = last.compareTo(other.last) <= 0 ? last : other.last;
        return Optional.of(new AddressRange<>(from, to));
    }

    @Override
    public String toString() {
        return "%s-0x%x".formatted(first, last.value());
    }
}
