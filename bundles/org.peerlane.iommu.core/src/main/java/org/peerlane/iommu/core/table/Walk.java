package org.peerlane.iommu.core.table;

/** What a walk found: a leaf. Its owner uses it again and again. */
public final class Walk {
    /** Where the byte that was asked for is. */
    public long physical;

    /** First IOVA of the leaf. */
    public long leafIova;

    /** Bytes of the leaf, all of a contiguous one. */
    public long leafBytes;

    /** {@link PageTable#READ} and {@link PageTable#WRITE} that the whole path grants. */
    public int permissions;

    /** Whether the leaf is marked dirty now: a cached copy needs no second walk to write. */
    public boolean dirty;

    // Where a walk is between two of its parts.

    long table;
    int level;
    long granted;
}
