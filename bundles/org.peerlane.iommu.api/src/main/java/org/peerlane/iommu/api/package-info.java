/**
 * The IOMMU and the DMA API: who may reach which memory under which address.
 *
 * <p><b>Owners of address spaces</b> (a VFIO-like driver) take a domain, attach functions to it and
 * map physical memory. <b>Drivers</b> ask the DMA API for addresses to give to their device, and do
 * not care whether an IOMMU is there.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.iommu.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
