package org.peerlane.bus.pcie;

import org.peerlane.bus.pcie.config.ExpressType;

/** The three ports that a tree is made of. */
enum PortKind {
    /** From the root complex down. */
    ROOT(ExpressType.ROOT_PORT),
    /** A switch's port towards the root. */
    UPSTREAM(ExpressType.UPSTREAM_PORT),
    /** A switch's port away from the root. */
    DOWNSTREAM(ExpressType.DOWNSTREAM_PORT);

    /** Device/Port Type of the PCI Express capability. */
    final ExpressType type;

    PortKind(ExpressType type) {
        this.type = type;
    }
}
