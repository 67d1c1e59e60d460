/** Drives the edu device: file copies by its DMA engine. */
@NullMarked
package org.peerlane.driver.edu;

import org.jspecify.annotations.NullMarked;
