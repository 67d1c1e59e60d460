/**
 * Drives the edu device: file copies by its DMA engine. {@link org.peerlane.driver.edu.EduDriver}
 * is what the bus and the shell know, {@link org.peerlane.driver.edu.EduChannel} one device that it
 * has taken over, {@link org.peerlane.driver.edu.FileCopy} the copy.
 *
 * <p>DMA addresses come from the DMA API: whether an IOMMU is there makes no difference here.
 */
@NullMarked
package org.peerlane.driver.edu;

import org.jspecify.annotations.NullMarked;
