package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What a {@link DeviceModel} with the SR-IOV capability implements, too: it makes the functions
 * that software switches on (PC-34 to PC-36).
 *
 * <p><b>Life.</b> A virtual function is made when VF enable is set. It is closed after VF enable is
 * cleared, or the physical function is reset or removed; by then nothing of it is under way.
 */
@ConsumerType
public interface VirtualFunctions {
    /**
     * Makes one virtual function. Its {@link DeviceModel#layout} says by which ids drivers know it,
     * which capabilities it has, and has the BARs of {@link CapabilityLayout.SrIov#bars}, each with
     * memory of its own or none.
     *
     * <p><b>Threads.</b> The one that has written VF enable; short, it starts nothing that waits
     * for the bus.
     *
     * @param vf from 1, as in the SR-IOV specification
     * @param slot what the function is given; its DMA and its interrupts are its own
     * @throws org.peerlane.kernel.api.ErrnoException it cannot; this function stays away and the
     *     sentence is logged
     */
    DeviceModel createVirtual(int vf, DeviceSlot slot);
}
