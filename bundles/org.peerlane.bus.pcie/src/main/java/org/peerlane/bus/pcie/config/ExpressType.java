package org.peerlane.bus.pcie.config;

/** What a PCI Express function is in the hierarchy. */
public enum ExpressType {
    /** Below a port. */
    ENDPOINT(0),
    /** Of a root complex: the top of a hierarchy. */
    ROOT_PORT(4),
    /** The port of a switch towards the root. */
    UPSTREAM_PORT(5),
    /** A port of a switch away from the root. */
    DOWNSTREAM_PORT(6),
    /** A bridge to conventional PCI. */
    PCI_BRIDGE(7),
    /** In the root complex itself: it has no link. */
    ROOT_COMPLEX_ENDPOINT(9);

    private final int code;

    ExpressType(int code) {
        this.code = code;
    }

    /** {@return the number in the capability} */
    public int code() {
        return code;
    }

    /** {@return whether it has a link, to be seen in the capability} */
    public boolean hasLink() {
        return this != ROOT_COMPLEX_ENDPOINT;
    }

    /** {@return whether a link leads down from it: only there is a slot} */
    public boolean leadsDown() {
        return this == ROOT_PORT || this == DOWNSTREAM_PORT;
    }
}
