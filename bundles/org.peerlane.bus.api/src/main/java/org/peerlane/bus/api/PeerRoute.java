package org.peerlane.bus.api;

/**
 * How one function reaches the memory of another. Kernel counterpart: {@code enum
 * pci_p2pdma_map_type}. Whoever changes ACS or the topology asks anew (PP-4).
 *
 * @param kind which way requests take
 * @param distance ports on the way; -1 if there is no route
 * @param reason why it is this kind, for reports
 * @param busOffset bus address minus physical address of the provider's BARs (IM-18)
 */
public record PeerRoute(Kind kind, int distance, String reason, long busOffset) {
    /** Which way requests take. */
    public enum Kind {
        /** Straight below a common bridge, by bus address: no IOMMU sees it. */
        BUS_ADDRESS,
        /** Up to the host bridge, through the IOMMU, and down again. */
        THROUGH_HOST_BRIDGE,
        /** Not at all. */
        NOT_SUPPORTED
    }

    /** {@return no route} */
    public static PeerRoute none(String reason) {
        return new PeerRoute(Kind.NOT_SUPPORTED, -1, reason, 0);
    }
}
