package org.peerlane.shell.bus;

import java.util.concurrent.TimeUnit;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.FunctionReset;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * {@code bus:eject}, {@code bus:pull}, {@code bus:plug}: devices go and come; {@code bus:reset}.
 * Each returns when the drivers have been told.
 */
@Component(
        service = BusCommand.class,
        property = {
            "osgi.command.scope=bus",
            "osgi.command.function=eject",
            "osgi.command.function=pull",
            "osgi.command.function=plug",
            "osgi.command.function=reset"
        })
public final class BusCommand {
    private static final long SETTLE_SECONDS = 5;

    private final PcieBus bus;

    /** For the framework. */
    @Activate
    public BusCommand(@Reference PcieBus bus) {
        this.bus = bus;
    }

    /** The command {@code bus:eject}; see {@link PcieBus#eject}. */
    @Descriptor("takes a device out in order, as its attention button does")
    public void eject(@Descriptor("the slot") String slot) throws InterruptedException {
        bus.eject(slot);
        settle();
    }

    /** The command {@code bus:pull}; see {@link PcieBus#pull}. */
    @Descriptor("pulls a device out by surprise")
    public void pull(@Descriptor("the slot") String slot) throws InterruptedException {
        bus.pull(slot);
        settle();
    }

    /** The command {@code bus:plug}; see {@link PcieBus#plug}. */
    @Descriptor("puts the device back into a slot")
    public void plug(@Descriptor("the slot") String slot) throws InterruptedException {
        bus.plug(slot);
        settle();
    }

    private void settle() throws InterruptedException {
        if (!bus.settle(TimeUnit.SECONDS.toNanos(SETTLE_SECONDS))) {
            throw new ErrnoException(
                    Errno.ETIMEDOUT,
                    "the bus is still busy after %d s; the log says with what"
                            .formatted(SETTLE_SECONDS));
        }
    }

    /**
     * The command {@code bus:reset}, by the first method that there is.
     *
     * @return what was done
     */
    @Descriptor("resets a function, and gives it its settings back")
    public String reset(@Descriptor("slot or address") String function) {
        PcieFunction found = FunctionName.find(bus.functions(), function);
        return done(found, new FunctionReset(bus.functions(), found).byAnyMethod());
    }

    /**
     * The same by one method.
     *
     * @return what was done
     */
    @Descriptor("resets a function by one method, and gives it its settings back")
    public String reset(
            @Descriptor("slot or address") String function,
            @Descriptor("flr: function-level reset; pm: by D3hot; hot: by the port above")
                    String method) {
        PcieFunction found = FunctionName.find(bus.functions(), function);
        FunctionReset reset = new FunctionReset(bus.functions(), found);
        return done(
                found,
                switch (method) {
                    case "flr" -> reset.flr();
                    case "pm" -> reset.power();
                    case "hot" -> reset.hot();
                    default ->
                            throw new ErrnoException(
                                    Errno.EINVAL,
                                    "reset method '%s'; expected flr, pm or hot".formatted(method));
                });
    }

    private static String done(PcieFunction function, String how) {
        return "%s at %s: %s".formatted(function.slot(), function.address(), how);
    }
}
