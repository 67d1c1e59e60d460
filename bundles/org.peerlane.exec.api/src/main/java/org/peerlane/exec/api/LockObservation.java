package org.peerlane.exec.api;

import org.osgi.annotation.versioning.ProviderType;

/** An observer is being told of locks. <b>Threads.</b> Any. */
@ProviderType
public interface LockObservation extends AutoCloseable {
    /** It is told nothing more; a call that has begun ends. Again does nothing. */
    @Override
    void close();
}
