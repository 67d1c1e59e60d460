package org.peerlane.bus.api;

/**
 * A BAR as memory that peers may be given. Kernel counterpart: {@code struct p2pdma_provider}.
 *
 * @param owner whose BAR it is
 * @param bar its index
 * @param busOffset bus address minus physical address
 */
public record PeerProvider(PcieFunction owner, int bar, long busOffset) {}
