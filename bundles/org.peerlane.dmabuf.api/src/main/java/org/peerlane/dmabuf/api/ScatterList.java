package org.peerlane.dmabuf.api;

import org.peerlane.kernel.api.Errno;

/**
 * Fits if the memory has pages, or if the importer takes a peer's memory (IC-4). Whether there is a
 * route is the core's to ask, which knows the bus.
 */
final class ScatterList implements MappingType {
    @Override
    public String name() {
        return "SGT";
    }

    @Override
    public Verdict match(MatchEntry exporter, MatchEntry importer) {
        if (exporter.provider() == null) {
            return Verdict.fits(false, "memory with pages");
        }
        if (!importer.acceptsPeer2Peer()) {
            return Verdict.refused(Errno.EOPNOTSUPP, "the importer takes no peer's memory");
        }
        return Verdict.fits(true, "a peer's memory");
    }

    @Override
    public String toString() {
        return name();
    }
}
