package org.peerlane.dmabuf.api;

import org.osgi.annotation.versioning.ConsumerType;
import org.peerlane.kernel.api.Errno;

/**
 * A way in which an importer can be given a buffer (section 6.4). {@link MappingTypes} has the
 * usual ones; exporter and importer plugins may share one of their own.
 *
 * <p><b>Threads.</b> Any; no state.
 */
@ConsumerType
public interface MappingType {
    /** {@return for reports, such as {@code SGT}} */
    String name();

    /**
     * {@return whether the two sides fit, and if not, why (IC-3)} {@link Errno#EOPNOTSUPP} lets the
     * next pair be tried; any other errno ends the negotiation.
     */
    Verdict match(MatchEntry exporter, MatchEntry importer);

    /**
     * How two entries fit.
     *
     * @param errno 0 if they do
     * @param peer2peer whether the importer's device gets a peer's memory
     * @param reason for reports
     */
    record Verdict(int errno, boolean peer2peer, String reason) {
        /** {@return they fit} */
        public static Verdict fits(boolean peer2peer, String reason) {
            return new Verdict(0, peer2peer, reason);
        }

        /** {@return they do not} */
        public static Verdict refused(Errno errno, String reason) {
            return new Verdict(errno.number(), false, reason);
        }
    }
}
