/**
 * The PCIe bus: config space, BAR decode, routing, DMA, interrupts, and the coming and going of
 * devices and drivers. Start at {@link org.peerlane.bus.pcie.PcieRoot}; DMA is in {@link
 * org.peerlane.bus.pcie.FunctionDmaPort}, a function in {@link org.peerlane.bus.pcie.Endpoint}.
 */
@NullMarked
package org.peerlane.bus.pcie;

import org.jspecify.annotations.NullMarked;
