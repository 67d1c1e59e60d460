package org.peerlane.iommu.core;

import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.core.table.PageTable;

/** Makes page tables. */
@FunctionalInterface
interface TableFactory {
    /**
     * {@return an empty table}
     *
     * @param flush for the table's own use
     * @throws org.peerlane.kernel.api.ErrnoException {@code EOPNOTSUPP} no such width or ability;
     *     {@code ENOMEM}
     */
    PageTable make(DomainSpec spec, PageTable.Flush flush);
}
