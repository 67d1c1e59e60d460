package org.peerlane.bus.pcie;

import java.util.LinkedHashMap;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.bus.api.PcieAddress;

/** A slot of the board, as its configuration describes it. */
@Component(
        service = SlotComponent.class,
        configurationPid = "org.peerlane.bus.pcie.slot",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = SlotComponent.Config.class, factory = true)
public final class SlotComponent {
    /**
     * What a board file may say about a slot; keys with the prefix {@code device.} are the
     * device's.
     */
    @ObjectClassDefinition(name = "PCIe slot")
    public @interface Config {
        /** {@return the slot's name: what follows the tilde in the board file} */
        @AttributeDefinition(description = "name of the slot", required = false)
        String name();

        /** {@return the type of device that is plugged in} */
        @AttributeDefinition(description = "type of the device, such as edu")
        String device();

        /** {@return where the function is} */
        @AttributeDefinition(description = "PCIe address, such as 00:04.0")
        String address();
    }

    private static final String DEVICE_PREFIX = "device.";

    private final String name;
    private final String device;
    private final PcieAddress address;
    private final Map<String, Object> options = new LinkedHashMap<>();

    /**
     * For the framework.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the address is none
     */
    @Activate
    public SlotComponent(Config config, Map<String, Object> properties) {
        name = config.name();
        device = config.device();
        address = PcieAddress.parse(config.address());
        properties.forEach((key, value) -> {
            if (key.startsWith(DEVICE_PREFIX)) {
                options.put(key.substring(DEVICE_PREFIX.length()), value);
            }
        });
    }

    String name() {
        return name;
    }

    String device() {
        return device;
    }

    PcieAddress address() {
        return address;
    }

    Map<String, Object> options() {
        return options;
    }
}
