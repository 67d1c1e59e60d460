package org.peerlane.shell;

import org.osgi.annotation.bundle.Header;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.wiring.BundleWiring;

/**
 * JLine finds its terminal providers through the context class loader, and Gogo builds its terminal
 * on the thread that starts its bundle. This bundle is started one level before, by the same
 * thread, and leaves JLine's own loader there. Without it the shell has neither history nor
 * completion.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class TerminalFix implements BundleActivator {
    /** For the framework. */
    public TerminalFix() {}

    @Override
    public void start(BundleContext context) {
        for (Bundle bundle : context.getBundles()) {
            if ("org.jline".equals(bundle.getSymbolicName())) {
                ClassLoader loader = bundle.adapt(BundleWiring.class).getClassLoader();
                Thread.currentThread().setContextClassLoader(loader);
            }
        }
    }

    @Override
    public void stop(BundleContext context) {}
}
