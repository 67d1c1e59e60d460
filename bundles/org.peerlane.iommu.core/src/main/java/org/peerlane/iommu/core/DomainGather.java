package org.peerlane.iommu.core;

import org.peerlane.iommu.api.FlushGather;
import org.peerlane.iommu.core.table.Gather;

/** A gather that has been handed out. */
final class DomainGather implements FlushGather {
    final Domain domain;
    final Gather gather = new Gather();

    DomainGather(Domain domain) {
        this.domain = domain;
    }

    @Override
    public boolean isEmpty() {
        return gather.isEmpty() && gather.pages() == 0;
    }
}
