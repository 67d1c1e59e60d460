/**
 * VFIO: functions that are passed through to user space, and their BARs as DMA-BUF. Start at {@link
 * org.peerlane.exporter.vfio.VfioPci}; a function is a {@link
 * org.peerlane.exporter.vfio.VfioPciDevice}.
 *
 * <p><b>Locks</b>, from outside in: {@code vfio.set} (who has what open, one for all functions that
 * a reset resets together), {@code vfio.memory} (whether a function's memory may be touched: the
 * kernel's {@code memory_lock}), a buffer's reservation. A page fault comes with the mmap lock and
 * takes {@code vfio.memory}.
 */
@NullMarked
package org.peerlane.exporter.vfio;

import org.jspecify.annotations.NullMarked;
