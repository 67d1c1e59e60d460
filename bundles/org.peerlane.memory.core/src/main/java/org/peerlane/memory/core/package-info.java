/**
 * The machine's RAM: {@link org.peerlane.memory.core.Ram} is the sparse file behind it, {@link
 * org.peerlane.memory.core.BuddyAllocator} hands out its pages, {@link
 * org.peerlane.memory.core.Memory} is the service.
 */
@NullMarked
package org.peerlane.memory.core;

import org.jspecify.annotations.NullMarked;
