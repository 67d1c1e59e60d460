/**
 * I/O page tables that live in emulated memory, in the formats of real hardware. Start at {@link
 * org.peerlane.iommu.core.table.PageTable}.
 */
@NullMarked
package org.peerlane.iommu.core.table;

import org.jspecify.annotations.NullMarked;
