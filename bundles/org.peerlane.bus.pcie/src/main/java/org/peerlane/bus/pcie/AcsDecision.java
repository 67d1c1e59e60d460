package org.peerlane.bus.pcie;

/** What a port does with a request from below for a peer of its own switch (PC-50, PC-51). */
enum AcsDecision {
    /** On to the peer. */
    DIRECT,
    /** Up to the root complex, whoever claims it on the way. */
    REDIRECT,
    /** Refused. */
    VIOLATION;

    /**
     * Decides.
     *
     * @param ingress the port that the request came in by
     * @param target device number of the port that claims it
     * @param translated AT=10b
     */
    static AcsDecision of(PortState ingress, int target, boolean translated) {
        if (translated && ingress.has(PortState.DIRECT_TRANSLATED)) {
            return DIRECT;
        }
        boolean redirect = ingress.has(PortState.REQUEST_REDIRECT);
        if (ingress.has(PortState.EGRESS_CONTROL)) {
            boolean bit = (ingress.egress() >>> target & 1) != 0;
            if (!bit) {
                return DIRECT;
            }
            return redirect ? REDIRECT : VIOLATION;
        }
        return redirect ? REDIRECT : DIRECT;
    }
}
