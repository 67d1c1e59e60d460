package org.peerlane.shell.bus;

import java.util.List;
import java.util.Locale;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerRoute;

/** {@code p2p:why}: how one device reaches the memory of another, and why so. */
@Component(
        service = PeerCommand.class,
        property = {"osgi.command.scope=p2p", "osgi.command.function=why"})
public final class PeerCommand {
    private final PcieBus bus;

    /** For the framework. */
    @Activate
    public PeerCommand(@Reference PcieBus bus) {
        this.bus = bus;
    }

    /**
     * {@return the report}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} there is no such function
     */
    @Descriptor("how one device reaches the BARs of another, and why so")
    public String why(
            @Descriptor("who reads and writes: slot or address") String client,
            @Descriptor("whose BARs: slot or address") String provider) {
        List<PcieFunction> functions = bus.functions();
        PeerRoute route =
                bus.peerRoute(
                        FunctionName.find(functions, provider),
                        FunctionName.find(functions, client));
        return "kind      %s%ndistance  %s%nreason    %s"
                .formatted(
                        route.kind().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                        route.distance() < 0 ? "none" : route.distance(),
                        route.reason());
    }
}
