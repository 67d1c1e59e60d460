package org.peerlane.kernel.api;

/**
 * An address in one of the machine's address spaces: 64 bits, unsigned. The three kinds are types
 * of their own, so that none is handed over as another by mistake.
 *
 * <p>Hot paths carry the bare {@code long}; interfaces that run once a mapping or once a call carry
 * these.
 *
 * @param <A> the kind itself
 */
public sealed interface Address<A extends Address<A>> extends Comparable<A>
        permits PhysicalAddress, BusAddress, Iova {

    /** {@return the bits, to be compared with {@link Long#compareUnsigned}} */
    long value();

    /** {@return the address of the same kind with other bits} */
    A withValue(long value);

    /**
     * {@return the address {@code bytes} further on}
     *
     * @param bytes unsigned
     * @throws ErrnoException {@code EOVERFLOW} it would be past 2^64-1
     */
    default A plus(long bytes) {
        long sum = value() + bytes;
        if (Long.compareUnsigned(sum, value()) < 0) {
            throw new ErrnoException(
                    Errno.EOVERFLOW,
                    "%s plus %s bytes is past the last address, 2^64-1"
                            .formatted(this, Long.toUnsignedString(bytes)));
        }
        return withValue(sum);
    }

    /** {@return whether the address is a multiple of {@code alignment}, a power of two} */
    default boolean isAligned(long alignment) {
        return (value() & (alignment - 1)) == 0;
    }

    @Override
    default int compareTo(A other) {
        return Long.compareUnsigned(value(), other.value());
    }
}
