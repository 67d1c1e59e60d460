package org.peerlane.vfio.api;

import org.peerlane.bus.api.PcieFunction;

/**
 * A function that a hot reset resets.
 *
 * @param function which
 * @param isBound whether it is bound to VFIO
 * @param isOpen whether somebody has it open
 */
public record HotResetEntry(PcieFunction function, boolean isBound, boolean isOpen) {}
