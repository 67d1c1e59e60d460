package org.peerlane.shell;

import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.wiring.BundleWiring;
import org.peerlane.exec.api.Execution;

/**
 * What must be done without any service: prepares the terminal, and decides how the process ends.
 *
 * <p>The launcher says {@code peerlane.launched}; without it, in Bndtools or under a test, the
 * process is not ours to end.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class ShellActivator implements BundleActivator, FrameworkListener {
    private static final String LAUNCHED = "peerlane.launched";

    private @Nullable BundleContext context;
    private @Nullable ExitStatus exit;

    /** For the framework. */
    public ShellActivator() {}

    @Override
    public void start(BundleContext context) {
        this.context = context;
        giveJLineItsLoader(context);
        if (context.getProperty(LAUNCHED) != null) {
            var status = new ExitStatus();
            exit = status;
            context.registerService(
                    new String[] {Callable.class.getName(), ExitStatus.class.getName()},
                    status,
                    FrameworkUtil.asDictionary(Map.of(ExitStatus.MAIN_THREAD, "true")));
            context.addFrameworkListener(this);
        }
    }

    /** The shell's end of input stops the framework: a good end. */
    @Override
    public void stop(BundleContext context) {
        if (exit != null) {
            exit.set(0);
        }
    }

    /** A script that can never begin must not hang. */
    @Override
    public void frameworkEvent(FrameworkEvent event) {
        if (event.getType() == FrameworkEvent.STARTLEVEL_CHANGED
                && context != null
                && exit != null
                && context.getProperty(ScriptRunner.PROPERTY) != null
                && context.getServiceReference(Execution.class) == null) {
            ScriptRunner.say(
                    "no bundle offers org.peerlane.exec.api.Execution; expected"
                            + " org.peerlane.exec.live among the launch file's bundles");
            exit.set(1);
        }
    }

    /**
     * JLine finds its terminal providers through the context class loader, and Gogo builds its
     * terminal on the thread that starts its bundle. This bundle is started one level before, by
     * the same thread, and leaves JLine's own loader there. Without it the shell has neither
     * history nor completion.
     */
    private static void giveJLineItsLoader(BundleContext context) {
        for (Bundle bundle : context.getBundles()) {
            if ("org.jline".equals(bundle.getSymbolicName())) {
                ClassLoader loader = bundle.adapt(BundleWiring.class).getClassLoader();
                Thread.currentThread().setContextClassLoader(loader);
            }
        }
    }
}
