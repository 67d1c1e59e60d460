/**
 * The PCIe bus. {@link org.peerlane.bus.pcie.PcieRoot} is the machine's host bridge with its
 * functions; {@link org.peerlane.bus.pcie.Function} is one of them, with its {@link
 * org.peerlane.bus.pcie.ConfigSpace}; {@link org.peerlane.bus.pcie.Routes} says who decodes an
 * address; {@link org.peerlane.bus.pcie.FunctionDma} carries a device's requests; {@link
 * org.peerlane.bus.pcie.LifeCycle} lets devices and drivers come and go.
 *
 * <p><b>Not modelled yet.</b> Bridges and switches: every function sits on bus 0.
 *
 * <p><b>Lock order.</b> {@code bus.topology}, then a function's {@code bus.config}; neither is held
 * while a device model, a driver or an interrupt handler is called.
 */
@NullMarked
package org.peerlane.bus.pcie;

import org.jspecify.annotations.NullMarked;
