package org.peerlane.dmabuf.core.shadow;

import java.util.concurrent.atomic.AtomicReference;
import org.peerlane.dmabuf.api.RevokeState;

/**
 * What a report says of a mapping; holds on to no object of a plugin.
 *
 * @param mapping its id
 * @param generation the buffer's when it was made
 * @param buffer the buffer's id
 * @param exporter the exporter's name
 * @param attachment the attachment's id
 * @param owner the importer's bundle
 * @param device the importer's device
 * @param invalidated when it became stale; 0: it has not
 * @param unmapped when it was taken back; 0: it has not been
 * @param taken whether it was taken back while access was being taken away
 * @param revoke the buffer's state, as it is
 */
public record Facts(
        long mapping,
        long generation,
        long buffer,
        String exporter,
        long attachment,
        String owner,
        String device,
        long invalidated,
        long unmapped,
        boolean taken,
        AtomicReference<RevokeState> revoke) {

    /** {@return whether access is wrong because it has been taken away, by whatever} */
    boolean isRevoked() {
        return revoke.get() != RevokeState.OK && (unmapped == 0 || taken);
    }
}
