/**
 * I/O page tables that live in emulated memory, in the formats of real hardware. Start at {@link
 * org.peerlane.iommu.core.table.PageTable}; a {@link org.peerlane.iommu.core.table.RadixTable} of a
 * {@link org.peerlane.iommu.core.table.Format} is one.
 */
@NullMarked
package org.peerlane.iommu.core.table;

import org.jspecify.annotations.NullMarked;
