/**
 * Sparse physical memory in a shared file and its page allocator. Start at {@link
 * org.peerlane.memory.core.SparseMemory}.
 */
@NullMarked
package org.peerlane.memory.core;

import org.jspecify.annotations.NullMarked;
