/**
 * Address spaces of processes: mappings, page tables, faults, zaps, windows and pins. Start at
 * {@link org.peerlane.memory.core.space.ProcessSpaces}.
 */
@NullMarked
package org.peerlane.memory.core.space;

import org.jspecify.annotations.NullMarked;
