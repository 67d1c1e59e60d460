package org.peerlane.exporter.gpu;

import java.util.List;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * The memory behind a buffer at one time. A move gives a buffer another one. Kernel counterpart:
 * {@code struct ttm_resource}.
 *
 * <p><b>Life.</b> Until {@link #free}, once, when nothing of the card's uses it any more.
 */
sealed interface Storage permits VramStorage, SystemStorage {
    /** {@return what kind it is} */
    Placement placement();

    /** {@return whether the CPU and peers reach all of it} */
    boolean isVisible();

    /** {@return where the engine finds it, in order; none if it is out of its reach} */
    List<Run> runs();

    /** {@return where the CPU finds it, in order; only if it is visible} */
    List<AddressRange<PhysicalAddress>> physical();

    /** The buffer has no need of it any more. */
    void free();
}
