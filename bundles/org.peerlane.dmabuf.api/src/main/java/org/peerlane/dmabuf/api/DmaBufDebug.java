package org.peerlane.dmabuf.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What there is, for people. Kernel counterpart: debugfs {@code dma_buf/bufinfo} (DB-67), and what
 * a kernel cannot tell.
 *
 * <p><b>Threads.</b> Any. Snapshots: no reservation is taken, so that a stuck buffer can be looked
 * at.
 */
@ProviderType
public interface DmaBufDebug {
    /** {@return all buffers, oldest first} */
    List<BufferInfo> buffers();

    /**
     * {@return one buffer}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOENT} there is none of that number
     */
    BufferInfo buffer(long id);

    /**
     * {@return why a buffer is still alive and what a revoke of it waits for: a line per holder,
     * fence and mapping, with what that waits for in turn}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOENT} there is none of that number
     */
    List<String> why(long id);

    /**
     * {@return what became of those who have left with something in use, oldest first; at most 100}
     */
    List<DepartureReport> departures();

    /** {@return devices that were cut off because their driver did not stop them, oldest first} */
    List<QuarantineInfo> quarantined();

    /**
     * Lets a device that was cut off use memory again. A reset of it does so too.
     *
     * @param slot of its function
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOENT} it is not cut off
     */
    void liftQuarantine(String slot);

    /** {@return the latest violations, oldest first; at most 1000} */
    List<Violation> violations();

    /** {@return how many violations there were since the start} */
    long violationCount();
}
