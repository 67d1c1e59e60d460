/**
 * The driver of GPUs. {@link org.peerlane.exporter.gpu.GpuDriver} is what the bus knows, {@link
 * org.peerlane.exporter.gpu.Card} one card.
 *
 * <pre>
 *   Card --- OwnBuffer, ImportedBuffer       memory that somebody asked for, or took in
 *    |          |
 *    |       Pools --- VramAllocator, Lru    where there is room, and who has to leave for it
 *    |          |
 *    |       Mover                           from one storage to another
 *    |          |
 *   Engine --- CommandRing --- Hardware      jobs, in order, each with its fence
 * </pre>
 *
 * <p><b>Locks</b>, from outside in: a reservation; {@code gpu.signal}; {@code gpu.engine}; and the
 * leaves {@code gpu.buffers}, {@code gpu.lru}, {@code gpu.vram}, {@code gpu.reaper}. A second
 * reservation is taken by a transaction, or not waited for.
 */
@NullMarked
package org.peerlane.exporter.gpu;

import org.jspecify.annotations.NullMarked;
