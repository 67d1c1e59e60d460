/**
 * The vocabulary that every other bundle speaks: error numbers, address types and their ranges,
 * reference counts, and the kernel whose behaviour is emulated. Plain values; nothing here knows a
 * device or a service. Start at {@link org.peerlane.kernel.api.ErrnoException}.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.kernel.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
