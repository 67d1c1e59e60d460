package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A kind of device that a board may have in its slots. A plugin registers one as a service, with
 * the property {@link #NAME}; the bundle's version is the type's version. The metatype of the
 * component's own PID says which options a board may give and of what range.
 *
 * <p><b>Life.</b> When the service goes, every device of the type is removed by surprise.
 */
@ConsumerType
public interface DeviceType {
    /** Service property: the name that a board file uses, such as {@code edu}. */
    String NAME = "peerlane.device";

    /**
     * Makes the device for one slot. The device is idle: it does no DMA before a driver asks for
     * it.
     *
     * @param slot what the device is given; good until {@link DeviceModel#close}
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} an option that metatype cannot
     *     refuse; the slot stays empty and the sentence is logged
     */
    DeviceModel create(DeviceSlot slot);
}
