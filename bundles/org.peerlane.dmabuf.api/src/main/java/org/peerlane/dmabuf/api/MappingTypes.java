package org.peerlane.dmabuf.api;

/** The mapping types that everybody knows (IC-4, IC-5). */
public final class MappingTypes {
    /** A scatter list of DMA addresses for the device. */
    public static final MappingType SGT = new ScatterList();

    /** Physical ranges, for owners of IOMMU domains only. */
    public static final MappingType PAL = new PhysicalAddressList();

    private MappingTypes() {}
}
