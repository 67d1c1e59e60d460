/**
 * Config space of every kind of function: headers, BARs, capabilities, each as a map of registers
 * and a class that knows what writing them does. Start at {@link
 * org.peerlane.bus.pcie.config.FunctionConfig}. Nothing here knows of the bus: what a write has
 * begun comes back as {@link org.peerlane.bus.pcie.config.Effect}s.
 *
 * <p><b>Threads.</b> Everything belongs to one function and is used with its lock held, but for
 * {@link org.peerlane.bus.pcie.config.MsiXTable}, which takes any thread.
 */
@NullMarked
package org.peerlane.bus.pcie.config;

import org.jspecify.annotations.NullMarked;
