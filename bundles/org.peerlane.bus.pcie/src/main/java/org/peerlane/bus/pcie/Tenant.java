package org.peerlane.bus.pcie;

/** What takes addresses of an {@link Aperture}: a BAR, or the window of a port below. */
sealed interface Tenant permits Aperture, Claim {
    /** {@return its place among those of one bus that are alike, whoever came first} */
    int rank();
}
