package org.peerlane.dmabuf.api;

/**
 * A device that was cut off because its driver had not stopped it in time.
 *
 * @param slot of its function
 * @param owner the bundle that had attached it
 * @param why for people
 * @param blocked whether the IOMMU blocks it; otherwise only bus master is off
 * @param ageNanos for how long
 */
public record QuarantineInfo(
        String slot, String owner, String why, boolean blocked, long ageNanos) {}
