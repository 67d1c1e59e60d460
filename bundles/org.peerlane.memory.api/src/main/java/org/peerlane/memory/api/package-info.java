/**
 * The machine's physical memory and its page allocator, as devices and drivers see them, and the
 * address spaces of processes. Start at {@link org.peerlane.memory.api.PhysicalMemory} and {@link
 * org.peerlane.memory.api.AddressSpaces}.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.memory.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
