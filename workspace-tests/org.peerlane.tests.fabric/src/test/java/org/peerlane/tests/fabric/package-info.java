/**
 * The root complex, the IOMMU and memory together: races under every schedule, boards of every
 * shape, and whatever software or a device may do wrong.
 */
@NullMarked
package org.peerlane.tests.fabric;

import org.jspecify.annotations.NullMarked;
