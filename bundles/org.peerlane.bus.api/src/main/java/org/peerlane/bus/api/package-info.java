/**
 * The device bus from both of its ends.
 *
 * <p><b>Silicon.</b> A plugin registers a {@link org.peerlane.bus.api.DeviceType}; for each slot of
 * the board it makes a {@link org.peerlane.bus.api.DeviceModel}, which is given its {@link
 * org.peerlane.bus.api.DmaPort}, its {@link org.peerlane.bus.api.InterruptPort} and its execution.
 * A model knows nothing else of the machine: a real VMM may stand behind the same interfaces.
 *
 * <p><b>Software.</b> A plugin registers a {@link org.peerlane.bus.api.PcieDriver} and is handed
 * each {@link org.peerlane.bus.api.PcieFunction} that it matches.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.bus.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
