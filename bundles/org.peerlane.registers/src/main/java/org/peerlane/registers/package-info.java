/**
 * Registers as data: one line per field, checked, printed, dispatched. A device declares its map as
 * an enum of {@link org.peerlane.registers.Register} and keeps the bits in a {@link
 * org.peerlane.registers.RegisterFile}. Start there.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.registers;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
