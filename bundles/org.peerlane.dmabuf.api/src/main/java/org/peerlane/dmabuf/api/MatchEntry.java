package org.peerlane.dmabuf.api;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerProvider;

/**
 * One way that one side offers or accepts (IC-1, IC-4).
 *
 * @param type which way
 * @param device the importing device; null on the exporter's side, and for a pseudo device
 * @param acceptsPeer2Peer the importer's: it takes a peer's memory
 * @param provider the exporter's: the BAR that the memory is in, whose distance is checked; null
 *     for memory with pages
 */
public record MatchEntry(
        MappingType type,
        @Nullable PcieFunction device,
        boolean acceptsPeer2Peer,
        @Nullable PeerProvider provider) {}
