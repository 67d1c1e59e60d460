package org.peerlane.shell.pci;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * {@code setpci}: reads and writes config space, as the tool of that name does. Unlike it, nothing
 * is written before everything has been found to be right.
 */
@Component(
        service = SetpciCommand.class,
        property = {"osgi.command.scope=peerlane", "osgi.command.function=setpci"})
public final class SetpciCommand {
    /** Functions, and what is done to each. */
    private record Group(FunctionFilter filter, List<RegisterAccess> accesses) {}

    private record Step(RegisterAccess access, PcieFunction function, int at) {}

    private final PcieBus bus;

    /** For the framework. */
    @Activate
    public SetpciCommand(@Reference PcieBus bus) {
        this.bus = bus;
    }

    /**
     * {@return the values read, one a line, or null: none}
     *
     * @param arguments options, then {@code -s} or {@code -d} and registers, again and again
     * @throws ErrnoException {@code EINVAL} one of them is wrong; {@code ENODEV} no function is
     *     selected; nothing was written
     */
    public @Nullable String setpci(String... arguments) {
        if (arguments.length == 1 && "--dumpregs".equals(arguments[0])) {
            return Register.dump();
        }
        boolean verbose = false;
        boolean force = false;
        boolean dry = false;
        int next = 0;
        while (next < arguments.length && arguments[next].matches("-[vfDr]+")) {
            verbose |= arguments[next].indexOf('v') > 0;
            force |= arguments[next].indexOf('f') > 0;
            dry |= arguments[next].indexOf('D') > 0;
            next++;
        }
        List<Step> steps = new ArrayList<>();
        for (Group group : groups(arguments, next)) {
            plan(group, force, steps);
        }
        Lines out = new Lines();
        for (Step step : steps) {
            step.access.run(out, step.function, step.at, verbose || dry, dry);
        }
        String text = out.toString();
        return text.isEmpty() ? null : text;
    }

    private static List<Group> groups(String[] arguments, int first) {
        List<Group> groups = new ArrayList<>();
        for (int i = first; i < arguments.length; i++) {
            String argument = arguments[i];
            boolean none = groups.isEmpty();
            if (!argument.startsWith("-")) {
                if (none) {
                    throw new ErrnoException(
                            Errno.EINVAL,
                            "setpci %s: of which function? expected -s or -d before it"
                                    .formatted(argument));
                }
                groups.getLast().accesses.add(new RegisterAccess(argument));
                continue;
            }
            char option = argument.length() < 2 ? '-' : argument.charAt(1);
            if (option != 's' && option != 'd') {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "setpci has no option %s here; expected -s SLOT or -d ID, and -v -f -D"
                                        .formatted(argument)
                                + " before them");
            }
            String value = argument.substring(2);
            if (value.isEmpty()) {
                i++;
                if (i == arguments.length) {
                    throw new ErrnoException(Errno.EINVAL, "setpci: nothing follows " + argument);
                }
                value = arguments[i];
            }
            if (none || !groups.getLast().accesses.isEmpty()) {
                groups.add(new Group(new FunctionFilter(), new ArrayList<>()));
            }
            groups.getLast().filter.take(option, value);
        }
        if (groups.isEmpty() || groups.getLast().accesses.isEmpty()) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "setpci has nothing to do; expected for instance -s 00:04.0 COMMAND=6");
        }
        return groups;
    }

    private void plan(Group group, boolean force, List<Step> steps) {
        List<PcieFunction> functions = group.filter.of(bus.functions());
        if (functions.isEmpty() && !force) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "setpci %s: there is no such function; lspci lists them"
                            .formatted(group.filter));
        }
        for (PcieFunction function : functions) {
            ConfigView config = new ConfigView(function);
            for (RegisterAccess access : group.accesses) {
                steps.add(new Step(access, function, access.locate(config)));
            }
        }
    }
}
