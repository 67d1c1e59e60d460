package org.peerlane.dmabuf.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One transaction that takes several reservations in any order: its ticket. Kernel counterpart:
 * {@code struct ww_acquire_ctx}, class wait-die (RV-1 to RV-5).
 *
 * <p><b>Life.</b> From {@link DmaBufs#acquire}; {@link #done} once all locks are taken; {@link
 * #close} with none held.
 *
 * <p><b>Threads.</b> The one that made it.
 */
@ProviderType
public interface AcquireContext extends AutoCloseable {
    /** {@return its age: smaller is older; never changes, so that it wins in the end} */
    long stamp();

    /** {@return how many reservations it holds now} */
    int held();

    /** No more locks will be taken (RV-5). One taken later is reported. */
    void done();

    /** Ends the transaction; locks that it still holds are reported. */
    @Override
    void close();
}
