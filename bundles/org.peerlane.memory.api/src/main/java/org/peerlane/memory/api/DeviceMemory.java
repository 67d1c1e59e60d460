package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Physical addresses that are no RAM and that somebody answers at.
 *
 * <p><b>Life.</b> Until closed. Page table entries may outlive it: a CPU that touches one then
 * takes a bus error, as if no device answered.
 */
@ProviderType
public interface DeviceMemory extends AutoCloseable {
    /** {@return for messages} */
    String name();

    /** {@return where it is} */
    AddressRange<PhysicalAddress> range();

    /**
     * Nobody answers any more: windows onto it are closed, and no access uses its segment any more
     * when this returns. Again is fine.
     */
    @Override
    void close();
}
