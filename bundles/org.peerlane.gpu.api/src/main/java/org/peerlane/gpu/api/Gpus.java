package org.peerlane.gpu.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The GPUs that are driven.
 *
 * <p><b>Life.</b> A service, as long as the driver's bundle is started. <b>Threads.</b> Any.
 */
@ProviderType
public interface Gpus {
    /** {@return the cards, by address; a copy} */
    List<Gpu> gpus();

    /**
     * {@return a card}
     *
     * @param name its slot, such as {@code gpu0}
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} none of that name is driven
     */
    Gpu gpu(String name);
}
