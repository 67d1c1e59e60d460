/** The commands of scope {@code iommu}: what the IOMMU holds, and what it has blocked. */
@NullMarked
package org.peerlane.shell.iommu;

import org.jspecify.annotations.NullMarked;
