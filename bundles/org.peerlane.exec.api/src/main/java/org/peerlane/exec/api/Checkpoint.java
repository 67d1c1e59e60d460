package org.peerlane.exec.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A named point of a protocol where the outside may act: a test puts a move, a revoke, a reset or a
 * failure exactly here, and a simulation may switch threads here.
 *
 * <p><b>Cost.</b> Live and unarmed: one field read.
 */
@ProviderType
public interface Checkpoint {
    /** {@return the name it was asked for with} */
    String name();

    /**
     * {@return whether anything can happen here now: armed, or simulated} Hot paths that pass a
     * point many times ask once, and go in larger steps where nothing can.
     */
    default boolean isActive() {
        return true;
    }

    /** The calling thread is at this point. What an armed action throws comes out of here. */
    void reached();
}
