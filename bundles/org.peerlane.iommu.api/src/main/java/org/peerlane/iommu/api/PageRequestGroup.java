package org.peerlane.iommu.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieAddress;

/**
 * Page requests that a device wants answered together.
 *
 * <p><b>Life.</b> From its last request until {@link #respond}, or until the function is detached,
 * which answers {@code INVALID}. <b>Threads.</b> Any.
 */
@ProviderType
public interface PageRequestGroup {
    /** {@return which function asks} */
    PcieAddress requester();

    /** {@return its PASID, or -1} */
    int pasid();

    /** {@return the device's name for the group: 9 bits} */
    int index();

    /** {@return what it asks for, in the order it came} */
    List<Page> pages();

    /**
     * Answers the group, once (PT-62).
     *
     * @param code {@link org.peerlane.bus.api.PageRequest#SUCCESS}, {@code INVALID} or {@code
     *     FAILURE}
     * @return whether this was the answer; false: it had been answered
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no such code
     */
    boolean respond(int code);

    /**
     * One request.
     *
     * @param iova 4 KiB aligned
     * @param read whether the device wants to read
     * @param write whether it wants to write
     */
    record Page(long iova, boolean read, boolean write) {}
}
