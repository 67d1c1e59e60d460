package org.peerlane.device.edu;

import java.util.Map;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** The device type {@code edu}, for boards. */
@Component(
        configurationPid = "org.peerlane.device.edu",
        property = DeviceType.NAME + "=edu",
        service = DeviceType.class)
@Designate(ocd = EduDeviceType.Options.class)
public final class EduDeviceType implements DeviceType {

    /** What a board may say about one edu device. */
    @ObjectClassDefinition(name = "edu", description = "Educational PCIe device, as QEMU's edu")
    public @interface Options {
        /** {@return address bits of the DMA engine} */
        @AttributeDefinition(
                name = "DMA mask",
                description = "address bits that the DMA engine has; it drops higher ones",
                min = "12",
                max = "64")
        int dmaMaskBits() default DEFAULT_DMA_MASK_BITS;
    }

    private static final String DMA_MASK_BITS = "dmaMaskBits";
    private static final int DEFAULT_DMA_MASK_BITS = 28;

    @Override
    public DeviceModel create(DeviceSlot slot) {
        return new EduDevice(slot, dmaMask(slot.options()));
    }

    private static long dmaMask(Map<String, Object> options) {
        Object bits = options.getOrDefault(DMA_MASK_BITS, DEFAULT_DMA_MASK_BITS);
        if (!(bits instanceof Number number) || number.intValue() < 12 || number.intValue() > 64) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s is %s; expected 12 to 64".formatted(DMA_MASK_BITS, bits));
        }
        return -1L >>> 64 - number.intValue();
    }
}
