package org.peerlane.bus.pcie;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** One switch of the board, as its configuration says. */
@Component(
        service = PortSource.class,
        configurationPid = SwitchComponent.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = SwitchComponent.Config.class, factory = true)
public final class SwitchComponent implements PortSource {
    static final String PID = "org.peerlane.bus.pcie.switch";

    /** Keys of the PID. */
    @ObjectClassDefinition(
            name = "PCIe switch",
            description = "a switch; its downstream ports are NAME.0, NAME.1 and so on")
    public @interface Config {
        /** The switch's name. */
        @AttributeDefinition(description = "name of the switch, such as sw0")
        String name();

        /** What it is plugged into. */
        @AttributeDefinition(description = "the port it is below, such as rp0 or sw0.1")
        String port();

        /** How many downstream ports. */
        @AttributeDefinition(description = "how many downstream ports", min = "1", max = "32")
        int ports() default 2;

        /** What is below may come and go. */
        @AttributeDefinition(description = "the slots below are hot-plug capable")
        boolean hotplug() default false;

        /** Access control. */
        @AttributeDefinition(description = "its ports have access control services (ACS)")
        boolean acs() default true;

        /** Bus numbers for virtual functions. */
        @AttributeDefinition(
                description = "bus numbers kept free below a port, for virtual functions",
                min = "0",
                max = "254")
        int busReserve() default 0;

        /** I/O space. */
        @AttributeDefinition(
                description = "how wide the window in I/O space is, in bits; 0: there is none",
                options = {
                    @Option(label = "none", value = "0"),
                    @Option(label = "16 bits", value = "16"),
                    @Option(label = "32 bits", value = "32")
                })
        int ioBits() default 32;

        /** Addresses below 4 GiB for what is plugged in. */
        @AttributeDefinition(
                description = "MiB below 4 GiB that a hot-plug slot has at least, even empty",
                min = "0",
                max = "4095")
        int memoryReserveMiB() default PortConfig.RESERVE_MIB;

        /** Addresses above 4 GiB for what is plugged in. */
        @AttributeDefinition(
                description = "MiB above 4 GiB that a hot-plug slot has at least, even empty",
                min = "0",
                max = "1073741824")
        int prefetchReserveMiB() default PortConfig.RESERVE_MIB;
    }

    private final PortConfig config;

    /** Takes the configuration. */
    @Activate
    public SwitchComponent(Config config) {
        this.config =
                new PortConfig(
                        config.name(),
                        config.port(),
                        config.ports(),
                        config.hotplug(),
                        config.acs(),
                        config.busReserve(),
                        config.ioBits(),
                        (long) config.memoryReserveMiB() << 20,
                        (long) config.prefetchReserveMiB() << 20);
    }

    @Override
    public PortConfig config() {
        return config;
    }
}
