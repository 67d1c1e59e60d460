/**
 * The machine's physical memory and its page allocator, as devices and drivers see them. Start at
 * {@link org.peerlane.memory.api.PhysicalMemory}.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.memory.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
