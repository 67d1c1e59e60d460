package org.peerlane.bus.pcie;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** One host bridge of the board, as its configuration says. */
@Component(
        service = HostBridgeComponent.class,
        configurationPid = HostBridgeComponent.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = HostBridgeComponent.Config.class, factory = true)
public final class HostBridgeComponent {
    static final String PID = "org.peerlane.bus.pcie.hostbridge";

    /** Keys of the PID. */
    @ObjectClassDefinition(
            name = "PCIe host bridge",
            description = "a host bridge with a root bus; a board that names none has one, pc")
    public @interface Config {
        /** The host bridge's name. */
        @AttributeDefinition(description = "name of the host bridge, such as pc")
        String name();

        /** Segment. */
        @AttributeDefinition(description = "PCIe segment", min = "0", max = "65535")
        int segment() default 0;

        /** First bus. */
        @AttributeDefinition(description = "number of the root bus", min = "0", max = "255")
        int firstBus() default 0;

        /** Last bus. */
        @AttributeDefinition(description = "highest number of a bus", min = "0", max = "255")
        int lastBus() default 255;

        /** Window below 4 GiB. */
        @AttributeDefinition(
                description = "first MiB of the window below 4 GiB",
                min = "1",
                max = "4095")
        int lowMiB() default 0xC00;

        /** Its size. */
        @AttributeDefinition(description = "MiB of the window below 4 GiB", min = "1", max = "4095")
        int lowSizeMiB() default 0x3EC;

        /** Window above 4 GiB. */
        @AttributeDefinition(
                description = "first GiB of the window above 4 GiB",
                min = "4",
                max = "4194303")
        int highGiB() default 512;

        /** Its size. */
        @AttributeDefinition(
                description = "GiB of the window above 4 GiB",
                min = "1",
                max = "4194304")
        int highSizeGiB() default 65_024;

        /** I/O space. */
        @AttributeDefinition(
                description = "first port of I/O space that it passes on; whole 4 KiB",
                min = "0",
                max = "4294963200")
        long ioFirst() default 0x1000;

        /** How much of it. */
        @AttributeDefinition(
                description = "how many ports of I/O space it passes on; 0: none",
                min = "0",
                max = "4294967296")
        long ioPorts() default 0;

        /** Config space. */
        @AttributeDefinition(
                description = "first MiB of its config space (ECAM), 1 MiB a bus",
                min = "1",
                max = "4294967295")
        long ecamMiB() default 0x7_FE00;

        /** Address on the bus minus physical address. */
        @AttributeDefinition(description = "MiB that bus addresses are above physical ones")
        long busOffsetMiB() default 0;

        /** Peer-to-peer. */
        @AttributeDefinition(
                description = "passes requests of devices on to devices below root ports")
        boolean p2pForwarding() default true;

        /** Known to do so. */
        @AttributeDefinition(
                description = "the operating system has it on its list for peer-to-peer")
        boolean listed() default true;

        /** With a restriction. */
        @AttributeDefinition(
                description = "on the list for two devices below this one host bridge only")
        boolean sameOnly() default false;
    }

    private final HostBridgeConfig config;

    /** Takes the configuration. */
    @Activate
    public HostBridgeComponent(Config config) {
        long low = (long) config.lowMiB() << 20;
        long high = (long) config.highGiB() << 30;
        this.config =
                new HostBridgeConfig(
                        config.name(),
                        config.segment(),
                        config.firstBus(),
                        config.lastBus(),
                        low,
                        low + ((long) config.lowSizeMiB() << 20) - 1,
                        high,
                        high + ((long) config.highSizeGiB() << 30) - 1,
                        config.ioFirst(),
                        config.ioFirst() + config.ioPorts() - 1,
                        config.ecamMiB() << 20,
                        config.busOffsetMiB() << 20,
                        config.p2pForwarding(),
                        config.listed(),
                        config.sameOnly());
    }

    HostBridgeConfig config() {
        return config;
    }
}
