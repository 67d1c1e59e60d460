package org.peerlane.dmabuf.api;

import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;

/**
 * Addresses that one device has for one buffer.
 *
 * <p><b>Life.</b> See {@link MappingState}. <b>Threads.</b> Any.
 */
@ProviderType
public interface DmaBufMapping {
    /** {@return a number that no other mapping of this machine has or had} */
    long id();

    /** {@return how often the buffer had been invalidated when this was made} */
    long generation();

    /** {@return whose it is} */
    Attachment attachment();

    /** {@return which way data may go} */
    DmaDirection direction();

    /** {@return addresses and lengths, a copy of what the exporter made (DB-39)} */
    SgTable table();

    /** {@return where in its life it is; out of date as soon as it is read, without the lock} */
    MappingState state();
}
