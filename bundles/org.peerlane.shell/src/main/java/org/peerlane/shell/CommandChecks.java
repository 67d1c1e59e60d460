package org.peerlane.shell;

import java.util.List;
import java.util.stream.Stream;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.service.command.CommandProcessor;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.ServiceTracker;

/**
 * Puts a {@link CheckedCommand} before every command that a bundle offers, a plugin's too; Felix's
 * own keep their manners. Gogo takes the one of the highest rank.
 *
 * <p><b>Life.</b> A command comes and goes with its service. <b>Threads.</b> Whichever registers a
 * service.
 */
@Component(service = CommandChecks.class, immediate = true)
public final class CommandChecks {
    private static final String COMMANDS =
            "(&(%1$s=*)(%2$s=*)(!(%1$s=gogo))(!(%1$s=felix)))"
                    .formatted(CommandProcessor.COMMAND_SCOPE, CommandProcessor.COMMAND_FUNCTION);

    private record Checked(String scope, String function, CheckedCommand command) {}

    private final BundleContext context;
    private final CommandProcessorImpl gogo;
    private final ServiceTracker<Object, List<Checked>> tracker;

    /** For the framework. */
    @Activate
    public CommandChecks(BundleContext context, @Reference CommandProcessor processor)
            throws InvalidSyntaxException {
        this.context = context;
        gogo = (CommandProcessorImpl) processor;
        tracker =
                new ServiceTracker<>(context, context.createFilter(COMMANDS), null) {
                    @Override
                    public List<Checked> addingService(ServiceReference<Object> service) {
                        return put(service);
                    }

                    @Override
                    public void removedService(
                            ServiceReference<Object> service, List<Checked> commands) {
                        take(commands);
                    }
                };
        tracker.open();
    }

    @Deactivate
    void deactivate() {
        tracker.close();
    }

    private List<Checked> put(ServiceReference<?> service) {
        String scope = String.valueOf(service.getProperty(CommandProcessor.COMMAND_SCOPE));
        List<Checked> commands =
                functions(service.getProperty(CommandProcessor.COMMAND_FUNCTION))
                        .map(f ->
                                new Checked(
                                        scope, f, new CheckedCommand(context, service, scope, f)))
                        .toList();
        for (Checked each : commands) {
            gogo.addCommand(scope, each.command, each.function, Integer.MAX_VALUE);
        }
        return commands;
    }

    private void take(List<Checked> commands) {
        for (Checked each : commands) {
            gogo.removeCommand(each.scope, each.function, each.command);
        }
    }

    private static Stream<String> functions(@Nullable Object property) {
        return property instanceof Object[] many
                ? Stream.of(many).map(String::valueOf)
                : Stream.of(String.valueOf(property));
    }
}
