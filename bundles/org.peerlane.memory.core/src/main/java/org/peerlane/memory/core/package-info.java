/** Sparse physical memory in a shared file and its page allocator. */
@NullMarked
package org.peerlane.memory.core;

import org.jspecify.annotations.NullMarked;
