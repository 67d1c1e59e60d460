package org.peerlane.tests.fabric;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;

/** What is said of BARs that have no address, from the constructor until it is closed. */
final class Warnings extends AbstractAppender implements AutoCloseable {
    private final Logger logger = (Logger) LogManager.getLogger("org.peerlane.bus.pcie.Placement");
    private final Level before = logger.getLevel();
    private final List<String> lines = Collections.synchronizedList(new ArrayList<>());

    Warnings() {
        super("warnings", null, null, true, Property.EMPTY_ARRAY);
        start();
        logger.setLevel(Level.WARN);
        logger.addAppender(this);
    }

    @Override
    public void append(LogEvent event) {
        if (event.getLevel().isMoreSpecificThan(Level.WARN)) {
            lines.add(event.getMessage().getFormattedMessage());
        }
    }

    /** {@return those so far} */
    List<String> lines() {
        return List.copyOf(lines);
    }

    @Override
    public void close() {
        logger.removeAppender(this);
        logger.setLevel(before);
        stop();
    }
}
