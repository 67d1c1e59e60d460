package org.peerlane.bus.pcie;

import java.util.HashMap;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** One slot of the board, as its configuration says. Seen by {@link PcieBusComponent} only. */
@Component(
        service = SlotComponent.class,
        configurationPid = SlotComponent.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = SlotComponent.Config.class, factory = true)
public final class SlotComponent {
    static final String PID = "org.peerlane.bus.pcie.slot";

    /** Keys that start like this go to the device, without it. */
    static final String OPTION = "device.";

    /** Keys of the PID, besides the options. */
    @ObjectClassDefinition(
            name = "PCIe slot",
            description = "a slot of the board; keys device.* are options of the device")
    public @interface Config {
        /** The slot's name. */
        @AttributeDefinition(description = "name of the slot, such as edu0")
        String name();

        /** What goes into it. */
        @AttributeDefinition(description = "type of the device in it, such as edu")
        String device();

        /** Where it is, in a root complex. */
        @AttributeDefinition(
                description = "PCIe address on a root bus, such as 00:04.0; or else a port")
        String address() default "";

        /** Where it is, below a port. */
        @AttributeDefinition(
                description = "the port it is below, such as rp0 or sw0.1; or else an address")
        String port() default "";

        /** Which function of the device. */
        @AttributeDefinition(
                description = "below a port: number of the function",
                min = "0",
                max = "7")
        int function() default 0;
    }

    private final SlotConfig config;

    /** Takes the configuration. */
    @Activate
    public SlotComponent(Config config, Map<String, Object> properties) {
        this.config =
                new SlotConfig(
                        config.name(),
                        config.device(),
                        config.address(),
                        config.port(),
                        config.function(),
                        options(properties));
    }

    SlotConfig config() {
        return config;
    }

    static Map<String, Object> options(Map<String, Object> properties) {
        Map<String, Object> options = new HashMap<>();
        properties.forEach((key, value) -> {
            if (key.startsWith(OPTION)) {
                options.put(key.substring(OPTION.length()), value);
            }
        });
        return options;
    }
}
