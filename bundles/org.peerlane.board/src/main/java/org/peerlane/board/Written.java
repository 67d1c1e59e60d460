package org.peerlane.board;

import java.io.IOException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.Execution;

/**
 * The configurations that a board has written, and which go with it.
 *
 * <p><b>Threads.</b> One adds; any one deletes, once.
 */
final class Written {
    /** Nobody's configuration: everybody hears of its deletion after that of all others. */
    private static final String LAST = "org.peerlane.board.last";

    private static final Logger LOG = LogManager.getLogger(Written.class);
    private static final long LIMIT_NANOS = 1_000_000_000;

    /** The framework's: listeners of a bundle that stops hear nothing. */
    private final BundleContext context;

    private final ConfigurationAdmin admin;
    private final Doorbell told;
    private final Queue<Configuration> configurations = new ConcurrentLinkedQueue<>();

    Written(BundleContext context, Execution execution, ConfigurationAdmin admin) {
        this.context = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getBundleContext();
        this.admin = admin;
        told = new Doorbell(execution, "board.told");
    }

    void add(Configuration configuration) {
        configurations.add(configuration);
    }

    /**
     * Deletes all of them. Whoever listens is told later, on another thread, and in order; this
     * waits for it, so that a board that comes next does not take parts of this machine for its
     * own.
     */
    void delete() {
        ServiceRegistration<ConfigurationListener> listener =
                context.registerService(ConfigurationListener.class, this::heard, null);
        try {
            configurations.forEach(Written::delete);
            delete(admin.getConfiguration(LAST, "?"));
            if (!told.await(LIMIT_NANOS)) {
                LOG.warn("the parts of the machine have not all gone within a second");
            }
        } catch (IOException | IllegalStateException e) {
            LOG.debug("nobody is told that the configurations have gone", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            listener.unregister();
        }
    }

    private void heard(ConfigurationEvent event) {
        if (event.getType() == ConfigurationEvent.CM_DELETED && LAST.equals(event.getPid())) {
            told.ring();
        }
    }

    private static void delete(Configuration configuration) {
        try {
            configuration.delete();
        } catch (IOException | IllegalStateException e) {
            LOG.debug("configuration of {} was gone", configuration, e);
        }
    }
}
