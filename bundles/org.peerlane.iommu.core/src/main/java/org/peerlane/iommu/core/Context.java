package org.peerlane.iommu.core;

import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What the hardware knows of one requester: its domains and what it may send. Immutable; a change
 * publishes another one (see {@link ContextTable}).
 */
final class Context {
    final Requester requester;
    final Iotlb iotlb;

    /** Where requests without PASID go; null: nowhere. */
    final @Nullable Domain untagged;

    /** Translation requests and translated requests are let through. */
    final boolean ats;

    /** Page requests are let through. */
    final boolean pri;

    /** Requests with PASID are let through. */
    final boolean pasid;

    /** Open addressing: PASID + 1, 0 is empty. */
    private final int[] pasids;

    private final @Nullable Domain[] domains;

    Context(
            Requester requester,
            @Nullable Domain untagged,
            SortedMap<Integer, Domain> tagged,
            boolean ats,
            boolean pri,
            boolean pasid) {
        this.requester = requester;
        this.untagged = untagged;
        this.ats = ats;
        this.pri = pri;
        this.pasid = pasid;
        iotlb = requester.iotlb;
        int size = Math.max(2, Integer.highestOneBit(Math.max(1, tagged.size())) * 4);
        pasids = new int[size];
        domains = new Domain[size];
        tagged.forEach(this::put);
    }

    private void put(int number, Domain domain) {
        int at = number & pasids.length - 1;
        while (pasids[at] != 0) {
            at = at + 1 & pasids.length - 1;
        }
        pasids[at] = number + 1;
        domains[at] = domain;
    }

    /** {@return where requests with a PASID go, or null} */
    @Nullable Domain tagged(int number) {
        int at = number & pasids.length - 1;
        while (pasids[at] != 0) {
            if (pasids[at] == number + 1) {
                return domains[at];
            }
            at = at + 1 & pasids.length - 1;
        }
        return null;
    }
}
