package org.peerlane.iommu.core;

import java.util.Arrays;

/** Who is in a domain: what a flush goes through. Immutable. */
final class Attached {
    static final Attached NOBODY = new Attached(new Requester[0], new int[0]);

    /** By attachment: one requester may be in a domain by several PASIDs. */
    final Requester[] by;

    final int[] pasids;

    /** Each requester once. */
    final Requester[] requesters;

    private Attached(Requester[] by, int[] pasids) {
        this.by = by;
        this.pasids = pasids;
        requesters = Arrays.stream(by).distinct().toArray(Requester[]::new);
    }

    Attached with(Requester requester, int pasid) {
        Requester[] moreBy = Arrays.copyOf(by, by.length + 1);
        int[] morePasids = Arrays.copyOf(pasids, by.length + 1);
        moreBy[by.length] = requester;
        morePasids[by.length] = pasid;
        return new Attached(moreBy, morePasids);
    }

    @SuppressWarnings("ReferenceEquality") // there is one object for each requester
    Attached without(Requester requester, int pasid) {
        Requester[] lessBy = new Requester[by.length - 1];
        int[] lessPasids = new int[by.length - 1];
        int to = 0;
        for (int i = 0; i < by.length; i++) {
            if (by[i] != requester || pasids[i] != pasid) {
                lessBy[to] = by[i];
                lessPasids[to++] = pasids[i];
            }
        }
        return new Attached(lessBy, lessPasids);
    }

    boolean isEmpty() {
        return by.length == 0;
    }
}
