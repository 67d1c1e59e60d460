package org.peerlane.vfio.api;

/**
 * What VFIO_DEVICE_GET_REGION_INFO answers.
 *
 * @param index which region
 * @param flags {@link #READ} and the like; 0 for a region that is not there
 * @param size bytes; 0 for a region that is not there
 * @param offset its place in the file
 * @param msixMappable it has the MSI-X table, and all of it may be mapped (VF-23)
 */
public record RegionInfo(int index, int flags, long size, long offset, boolean msixMappable) {
    /** It can be read. */
    public static final int READ = 1;

    /** It can be written. */
    public static final int WRITE = 2;

    /** It can be mapped. */
    public static final int MMAP = 4;

    /** Capabilities follow. */
    public static final int CAPS = 8;
}
