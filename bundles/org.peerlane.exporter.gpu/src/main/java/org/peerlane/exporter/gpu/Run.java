package org.peerlane.exporter.gpu;

/**
 * Bytes that follow each other as the card's engine addresses them.
 *
 * @param space {@link GpuRegisters#VRAM} or {@link GpuRegisters#BUS}
 * @param address of the first
 * @param bytes how many
 */
record Run(int space, long address, long bytes) {}
