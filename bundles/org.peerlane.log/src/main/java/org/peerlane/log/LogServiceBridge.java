package org.peerlane.log;

import java.util.Map;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.log.LogEntry;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.LogListener;
import org.osgi.service.log.LogReaderService;
import org.osgi.service.log.admin.LoggerAdmin;
import org.osgi.service.log.admin.LoggerContext;

/**
 * Sends every OSGi log entry to Log4j, which decides what to print: to the logger {@code
 * osgi.<bundle>}, framework events to {@code Events.*}.
 *
 * <p>While the framework stops, its own bundles complain of each other: one still has something to
 * tell another that has stopped already. That is nobody's mistake and goes to {@code DEBUG}.
 */
@Component(
        service = {},
        immediate = true)
public final class LogServiceBridge implements LogListener {
    private static final String FRAMEWORKS_OWN = "org.apache.felix.";

    private final LogReaderService reader;
    private final Bundle framework;

    /** For the framework. */
    @Activate
    public LogServiceBridge(
            @Reference LogReaderService reader,
            @Reference LoggerAdmin admin,
            BundleContext context) {
        this.reader = reader;
        framework = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION);
        // Log4j is set up here by one thread, before the listener's thread could race with it.
        LogManager.getContext(false);
        LoggerContext root = admin.getLoggerContext(null);
        Map<String, LogLevel> levels = root.getLogLevels();
        levels.put(org.osgi.service.log.Logger.ROOT_LOGGER_NAME, LogLevel.INFO);
        root.setLogLevels(levels);
        reader.addLogListener(this);
    }

    @Deactivate
    void stop() {
        reader.removeLogListener(this);
    }

    @Override
    public void logged(LogEntry entry) {
        boolean stopping = framework.getState() == Bundle.STOPPING;
        Level level = level(entry.getLogLevel(), entry.getBundle().getSymbolicName(), stopping);
        String name = entry.getLoggerName();
        Logger log =
                LogManager.getLogger(
                        name.startsWith("Events")
                                ? name
                                : "osgi." + entry.getBundle().getSymbolicName());
        log.atLevel(level).withThrowable(entry.getException()).log(entry.getMessage());
    }

    /**
     * {@return how important an entry is}
     *
     * @param bundle whose it is
     * @param stopping whether the framework stops
     */
    static Level level(LogLevel said, String bundle, boolean stopping) {
        if (stopping && bundle.startsWith(FRAMEWORKS_OWN)) {
            return Level.DEBUG;
        }
        return switch (said) {
            case AUDIT, INFO -> Level.INFO;
            case ERROR -> Level.ERROR;
            case WARN -> Level.WARN;
            case DEBUG -> Level.DEBUG;
            case TRACE -> Level.TRACE;
        };
    }
}
