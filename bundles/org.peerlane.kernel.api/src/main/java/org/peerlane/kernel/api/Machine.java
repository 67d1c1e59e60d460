package org.peerlane.kernel.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The machine that runs, as its board file describes it. The service appears once the file has been
 * read and every slot that could be filled is filled; so whoever waits for it finds a machine that
 * is up, or learns why it is not. Plugins may need it to activate; once all of those have that it
 * lets activate, it has the property {@link #READY}.
 *
 * <p><b>Life.</b> As long as the board file is in force. <b>Threads.</b> Any: a plain value.
 */
@ProviderType
public interface Machine {
    /**
     * The service property that says, as {@code true}, that whoever waited for the service has been
     * told. Who needs what they bring, such as their commands, waits for this.
     */
    String READY = "machine.ready";

    /** {@return the board's name} */
    String name();

    /** {@return the path of the board file} */
    String boardFile();

    /** {@return the kernel whose behaviour is emulated} */
    Profile profile();

    /** {@return whether the board file could be read at all; if not, there is no device} */
    boolean isUp();

    /** {@return one line per mistake in the board file: file, line, key, what was expected} */
    List<String> problems();
}
