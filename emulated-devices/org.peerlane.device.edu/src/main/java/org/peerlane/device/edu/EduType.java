package org.peerlane.device.edu;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** Offers the edu device to boards, as {@code "device": "edu"}. */
@Component(configurationPid = "org.peerlane.device.edu", property = DeviceType.NAME + "=edu")
@Designate(ocd = EduType.Options.class)
public final class EduType implements DeviceType {
    /** What a board may say about an edu device. */
    @ObjectClassDefinition(name = "edu device")
    public @interface Options {
        /** {@return how many address bits the DMA engine has} */
        @AttributeDefinition(description = "address bits of the DMA engine", min = "12", max = "64")
        int dmaMaskBits() default DEFAULT_DMA_MASK_BITS;
    }

    /** The DMA engine reaches the lowest 256 MiB unless the board says otherwise. */
    static final int DEFAULT_DMA_MASK_BITS = 28;

    /** For the framework. */
    @Activate
    public EduType() {}

    @Override
    public DeviceModel create(DeviceSlot slot) {
        Object bits = slot.options().getOrDefault("dmaMaskBits", DEFAULT_DMA_MASK_BITS);
        if (!(bits instanceof Number number) || number.intValue() < 12 || number.intValue() > 64) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "dmaMaskBits %s; expected a number from 12 to 64".formatted(bits));
        }
        int width = number.intValue();
        return new EduDevice(slot, width == 64 ? -1L : (1L << width) - 1);
    }
}
