package org.peerlane.exec.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The executions of all bundles, for those who ask what runs and what was left behind.
 *
 * <p><b>Life.</b> A service as long as executions are to be had. A closed execution is among them
 * while a thread of it lives. <b>Threads.</b> Any.
 */
@ProviderType
public interface Executions {
    /** {@return all that is not finished now, by owner; it may be finished when you look} */
    List<Work> work();
}
