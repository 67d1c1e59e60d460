package org.peerlane.vfio.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieFunction;

/**
 * The functions that are bound to VFIO. One gets there by {@link
 * org.peerlane.bus.api.PcieBus#overrideDriver} with {@link #DRIVER}, and bind.
 *
 * <p><b>Life.</b> A service, as long as its bundle is started. <b>Threads.</b> Any.
 */
@ProviderType
public interface Vfio {
    /** The name of the driver, for {@link org.peerlane.bus.api.PcieBus#overrideDriver}. */
    String DRIVER = "vfio-pci";

    /** {@return what is bound, by address; a copy} */
    List<VfioDevice> devices();

    /**
     * {@return a function that is bound}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} it is not
     */
    VfioDevice device(PcieFunction function);
}
