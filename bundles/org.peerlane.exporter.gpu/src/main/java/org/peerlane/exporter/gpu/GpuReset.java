package org.peerlane.exporter.gpu;

import org.peerlane.trace.api.TraceEvent;

/**
 * A card has been reset.
 *
 * @param slot the card
 * @param lost how many buffers lost their content
 * @param nanos how long it took, with the wait for those who reached them
 */
public record GpuReset(String slot, int lost, long nanos) implements TraceEvent {}
