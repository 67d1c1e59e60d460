/** Config space, BAR decode, routing, DMA and interrupts. */
@NullMarked
package org.peerlane.bus.pcie;

import org.jspecify.annotations.NullMarked;
