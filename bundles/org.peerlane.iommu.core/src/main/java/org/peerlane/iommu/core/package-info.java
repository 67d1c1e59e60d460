/** The IOMMU of the machine, between the root complex and memory. */
@NullMarked
package org.peerlane.iommu.core;

import org.jspecify.annotations.NullMarked;
