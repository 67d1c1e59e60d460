package org.peerlane.iommu.api;

/** What a paging domain shall be able to do besides. */
public enum DomainFlag {
    /** It may be the second stage below a guest's own table. */
    NESTING_PARENT,
    /** A mapping without write permission is refused with {@code EINVAL} (PT-13). */
    NO_READ_ONLY,
    /** Writes of devices can be tracked; not with {@link TableFormat#X86_64} (PT-21). */
    DIRTY_TRACKING,
    /** Every mapping is coherent, whatever the device asks for. */
    FORCE_COHERENT
}
