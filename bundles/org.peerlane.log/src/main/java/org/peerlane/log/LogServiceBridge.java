package org.peerlane.log;

import java.util.Map;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
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
 */
@Component(
        service = {},
        immediate = true)
public final class LogServiceBridge implements LogListener {
    private final LogReaderService reader;

    /** For the framework. */
    @Activate
    public LogServiceBridge(@Reference LogReaderService reader, @Reference LoggerAdmin admin) {
        this.reader = reader;
        // Log4j is set up here by one thread, before the listener's thread could race with it.
        LogManager.getContext(false);
        LoggerContext context = admin.getLoggerContext(null);
        Map<String, LogLevel> levels = context.getLogLevels();
        levels.put(org.osgi.service.log.Logger.ROOT_LOGGER_NAME, LogLevel.INFO);
        context.setLogLevels(levels);
        reader.addLogListener(this);
    }

    @Deactivate
    void stop() {
        reader.removeLogListener(this);
    }

    @Override
    public void logged(LogEntry entry) {
        Level level =
                switch (entry.getLogLevel()) {
                    case AUDIT, INFO -> Level.INFO;
                    case ERROR -> Level.ERROR;
                    case WARN -> Level.WARN;
                    case DEBUG -> Level.DEBUG;
                    case TRACE -> Level.TRACE;
                };
        String name = entry.getLoggerName();
        Logger log =
                LogManager.getLogger(
                        name.startsWith("Events")
                                ? name
                                : "osgi." + entry.getBundle().getSymbolicName());
        log.atLevel(level).withThrowable(entry.getException()).log(entry.getMessage());
    }
}
