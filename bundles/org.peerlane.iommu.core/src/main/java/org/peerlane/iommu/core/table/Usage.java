package org.peerlane.iommu.core.table;

/**
 * How much a table maps.
 *
 * @param leaves how many
 * @param bytes of all of them
 */
public record Usage(long leaves, long bytes) {}
