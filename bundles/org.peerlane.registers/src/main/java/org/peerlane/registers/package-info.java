/** Registers as data: one line per field, checked, printed, dispatched. */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.registers;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
