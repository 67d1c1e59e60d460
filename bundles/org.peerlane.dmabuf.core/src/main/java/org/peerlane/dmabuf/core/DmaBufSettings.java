package org.peerlane.dmabuf.core;

/**
 * What can be set of a core.
 *
 * @param checks whether to watch threads and DMA
 * @param departureNanos how long who leaves is waited for
 */
public record DmaBufSettings(boolean checks, long departureNanos) {
    /** Refuses a limit that is none. */
    public DmaBufSettings {
        if (departureNanos < 1) {
            throw new IllegalArgumentException(
                    "a departure limit of %d ns; expected at least 1".formatted(departureNanos));
        }
    }

    /** {@return the usual limit} */
    public static DmaBufSettings of(boolean checks) {
        return new DmaBufSettings(checks, 2_000_000_000L);
    }

    static DmaBufSettings of(DmaBufConfig config) {
        return new DmaBufSettings(config.checks(), config.departureLimitMs() * 1_000_000L);
    }
}
