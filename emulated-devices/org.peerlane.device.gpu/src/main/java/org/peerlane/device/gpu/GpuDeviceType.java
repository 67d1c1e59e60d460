package org.peerlane.device.gpu;

import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DeviceType;

/** The device type {@code gpu}, for boards. */
@Component(
        configurationPid = "org.peerlane.device.gpu",
        property = DeviceType.NAME + "=gpu",
        service = DeviceType.class)
@Designate(ocd = GpuDeviceType.Options.class)
public final class GpuDeviceType implements DeviceType {

    /** What a board may say about one GPU. */
    @ObjectClassDefinition(name = "gpu", description = "GPU with video memory and a copy engine")
    public @interface Options {
        /** {@return how much video memory it has} */
        @AttributeDefinition(
                name = "VRAM",
                description = "MiB of video memory, a power of two",
                min = "1",
                max = "4096")
        int vramMiB() default GpuBoard.VRAM_MIB;

        /** {@return how much of it the BAR shows after a reset} */
        @AttributeDefinition(
                name = "visible VRAM",
                description = "MiB of it that the BAR shows, a power of two; 0: all of it",
                min = "0",
                max = "4096")
        int visibleMiB() default GpuBoard.ALL_VISIBLE;

        /** {@return whether software may change that} */
        @AttributeDefinition(
                name = "resizable BAR",
                description = "whether software may give the BAR another size")
        boolean resizableBar() default true;
    }

    @Override
    public DeviceModel create(DeviceSlot slot) {
        return new GpuDevice(slot, GpuBoard.of(slot.options()));
    }
}
