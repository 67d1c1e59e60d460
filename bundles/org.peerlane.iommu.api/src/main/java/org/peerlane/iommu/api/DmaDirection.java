package org.peerlane.iommu.api;

/**
 * Which way data goes, as the device sees memory. Kernel counterpart: {@code enum
 * dma_data_direction}.
 */
public enum DmaDirection {
    /** The device reads and writes. */
    BIDIRECTIONAL(IommuDomain.READ | IommuDomain.WRITE),
    /** The device reads. */
    TO_DEVICE(IommuDomain.READ),
    /** The device writes. */
    FROM_DEVICE(IommuDomain.WRITE);

    private final int protection;

    DmaDirection(int protection) {
        this.protection = protection;
    }

    /**
     * {@return {@link IommuDomain#READ} and {@link IommuDomain#WRITE}, as the device needs them}
     */
    public int protection() {
        return protection;
    }
}
