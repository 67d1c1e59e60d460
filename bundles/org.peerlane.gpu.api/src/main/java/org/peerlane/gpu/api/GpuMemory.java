package org.peerlane.gpu.api;

/**
 * How much of one kind of memory there is and is in use, at one moment.
 *
 * @param placement which kind
 * @param bytes how much there is
 * @param visible how much of it the CPU and peers reach
 * @param used how much buffers have
 * @param evictions how often a buffer had to leave so that another found room
 */
public record GpuMemory(Placement placement, long bytes, long visible, long used, long evictions) {}
