package org.peerlane.shell;

import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Machine;

/** {@code peerlane:welcome}: one line that tells what runs here, and the mistakes in its board. */
@Component(
        service = Welcome.class,
        property = {"osgi.command.scope=peerlane", "osgi.command.function=welcome"})
public final class Welcome {
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final MachineGate gate;
    private final boolean isScript;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable PcieBus bus;

    /** For the framework. */
    @Activate
    public Welcome(BundleContext context, @Reference MachineGate gate) {
        this.gate = gate;
        isScript = context.getProperty(ScriptRunner.PROPERTY) != null;
    }

    /**
     * Prints it, unless this is a script: Gogo reads its profile then, too.
     *
     * @throws InterruptedException the shell ends
     */
    public void welcome() throws InterruptedException {
        if (isScript) {
            return;
        }
        Machine machine = gate.await(LIMIT_NANOS);
        if (machine == null) {
            System.out.println(
                    "The machine is not up yet; 'status' tells more, 'help' lists the commands.");
            return;
        }
        machine.problems().forEach(System.out::println);
        System.out.printf(
                "Machine %s%s. 'help' lists the commands.%n",
                machine.name(), machine.isUp() ? slots() : " is not up: it has no devices");
    }

    private String slots() {
        PcieBus present = bus;
        return present == null || present.functions().isEmpty()
                ? " with empty slots"
                : present.functions().stream()
                        .map(Welcome::slot)
                        .collect(Collectors.joining(", ", " with ", ""));
    }

    private static String slot(PcieFunction function) {
        return function.slot() + " at " + function.address();
    }
}
