package org.peerlane.shell;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Executions;
import org.peerlane.exec.api.Work;
import org.peerlane.kernel.api.Machine;

/**
 * {@code peerlane:status}: the machine, its functions, the mistakes in its board, what runs, the
 * plugins.
 */
@Component(
        service = StatusCommand.class,
        property = {"osgi.command.scope=peerlane", "osgi.command.function=status"})
public final class StatusCommand {
    private static final String PREFIX = "org.peerlane.";

    private final BundleContext context;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            target = "(" + Machine.READY + "=true)")
    volatile @Nullable Machine machine;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable PcieBus bus;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable Executions executions;

    /** For the framework. */
    @Activate
    public StatusCommand(BundleContext context) {
        this.context = context;
    }

    /** {@return the report} */
    public String status() {
        List<String> lines = new ArrayList<>();
        Machine now = machine;
        if (now == null) {
            lines.add("machine    coming up");
        } else {
            lines.add("machine    %s (%s)".formatted(now.name(), now.isUp() ? "up" : "not up"));
            lines.add("board      " + now.boardFile());
            lines.add("profile    " + now.profile());
            now.problems().forEach(p -> lines.add("problem    " + p));
        }
        PcieBus present = bus;
        if (present != null) {
            for (PcieFunction f : present.functions()) {
                lines.add(
                        "function   %s %04x:%04x %s"
                                .formatted(f.address(), f.vendorId(), f.deviceId(), f.slot()));
            }
        }
        Executions running = executions;
        if (running != null) {
            List<Work> work = running.work();
            lines.add("threads    " + count(work, Work.Kind.THREAD));
            lines.add("timers     " + count(work, Work.Kind.TIMER));
        }
        Arrays.stream(context.getBundles())
                .filter(b -> b.getSymbolicName().startsWith(PREFIX))
                .sorted(Comparator.comparing(Bundle::getSymbolicName))
                .map(b ->
                        "bundle     %-14s %-9s %s"
                                .formatted(
                                        shortened(b.getSymbolicName()), state(b), b.getVersion()))
                .forEach(lines::add);
        return String.join("\n", lines);
    }

    /** {@return how many, and how many of which bundle} */
    static String count(List<Work> work, Work.Kind kind) {
        Map<String, Long> byOwner =
                work.stream()
                        .filter(w -> w.kind() == kind)
                        .collect(
                                Collectors.groupingBy(
                                        w -> shortened(w.owner()),
                                        TreeMap::new,
                                        Collectors.counting()));
        long all = byOwner.values().stream().mapToLong(Long::longValue).sum();
        return byOwner.isEmpty()
                ? "none"
                : byOwner.entrySet().stream()
                        .map(e -> e.getKey() + " " + e.getValue())
                        .collect(Collectors.joining(", ", all + ": ", ""));
    }

    private static String shortened(String name) {
        return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
    }

    private static String state(Bundle bundle) {
        return switch (bundle.getState()) {
            case Bundle.ACTIVE -> "active";
            case Bundle.RESOLVED -> "stopped";
            case Bundle.INSTALLED -> "unresolved";
            case Bundle.STARTING -> "starting";
            case Bundle.STOPPING -> "stopping";
            default -> "gone";
        };
    }
}
