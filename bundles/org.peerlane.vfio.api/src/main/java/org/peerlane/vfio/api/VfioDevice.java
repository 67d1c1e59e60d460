package org.peerlane.vfio.api;

import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieFunction;

/**
 * A function that is bound to VFIO. Kernel counterpart: {@code struct vfio_pci_core_device}.
 *
 * <p><b>Life.</b> From bind to unbind. <b>Threads.</b> Any.
 */
@ProviderType
public interface VfioDevice {
    /** {@return which function} */
    PcieFunction function();

    /** {@return how many files are open on it} */
    int openCount();

    /**
     * Opens a file on it. The first one enables the function: memory decode on, bus master off, all
     * its registers reset if it can be (VF-12).
     *
     * @return one reference, the caller's; the last put of the last file disables the function
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} it is being unbound; {@code
     *     EAGAIN} somebody else resets it just now
     */
    VfioFile open();
}
