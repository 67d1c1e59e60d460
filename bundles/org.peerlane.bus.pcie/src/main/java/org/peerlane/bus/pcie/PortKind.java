package org.peerlane.bus.pcie;

/** The three ports that a tree is made of. */
enum PortKind {
    /** From the root complex down. */
    ROOT(4),
    /** A switch's port towards the root. */
    UPSTREAM(5),
    /** A switch's port away from the root. */
    DOWNSTREAM(6);

    /** Device/Port Type of the PCI Express capability. */
    final int expressType;

    PortKind(int expressType) {
        this.expressType = expressType;
    }
}
