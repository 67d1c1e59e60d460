/**
 * Registers as data. A device lists its registers as constants of an enum, one line per field, in
 * the specification's own words; a {@link org.peerlane.registers.RegisterFile} checks the list,
 * keeps the bits, applies each access and prints the map. Start at {@link
 * org.peerlane.registers.Register}.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.registers;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
