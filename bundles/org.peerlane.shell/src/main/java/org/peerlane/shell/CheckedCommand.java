package org.peerlane.shell;

import java.util.List;
import java.util.Objects;
import org.apache.felix.gogo.runtime.CommandProxy;
import org.apache.felix.gogo.runtime.Reflective;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Function;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * One command of a service. It does what Gogo does, but arguments that no method takes are answered
 * with one sentence: which command, what it was given, how it is called. It is a proxy, so that
 * Gogo's {@code help} finds the methods.
 *
 * <p><b>Life.</b> The service is got for each call, and may leave at any time.
 */
final class CheckedCommand extends CommandProxy {
    private final String name;
    private final String function;

    CheckedCommand(
            BundleContext context, ServiceReference<?> service, String scope, String function) {
        super(context, service, function);
        this.function = function;
        name = scope + ":" + function;
    }

    @Override
    public @Nullable Object execute(CommandSession session, List<Object> arguments)
            throws Exception {
        Object target = getTarget();
        if (target == null) {
            throw new ErrnoException(
                    Errno.ENODEV, name + ": the bundle that offers it has just left");
        }
        try {
            return target instanceof Function own
                    ? own.execute(session, arguments)
                    : call(session, target, arguments);
        } finally {
            ungetTarget();
        }
    }

    private @Nullable Object call(CommandSession session, Object target, List<Object> arguments)
            throws Exception {
        if (arguments.stream().anyMatch(Objects::isNull)) { // a variable that is not set
            throw refused(target, arguments, null);
        }
        try {
            return Reflective.invoke(session, target, function, arguments);
        } catch (IllegalArgumentException e) {
            if (isGogos(e)) {
                throw refused(target, arguments, e);
            }
            throw e;
        }
    }

    /** Not the command's own: Gogo found no method to call. */
    private static boolean isGogos(IllegalArgumentException e) {
        StackTraceElement[] stack = e.getStackTrace();
        return stack.length > 0 && stack[0].getClassName().equals(Reflective.class.getName());
    }

    private ErrnoException refused(
            Object target, List<Object> arguments, @Nullable IllegalArgumentException cause) {
        String sentence =
                "%s: given %s; usage: %s"
                        .formatted(
                                name,
                                Usage.given(arguments),
                                Usage.of(name, target.getClass(), function));
        return cause == null
                ? new ErrnoException(Errno.EINVAL, sentence)
                : new ErrnoException(Errno.EINVAL, sentence, cause);
    }
}
