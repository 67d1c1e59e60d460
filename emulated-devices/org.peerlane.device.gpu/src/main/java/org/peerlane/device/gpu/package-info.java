/**
 * A graphics card, as far as memory goes: VRAM behind a BAR, and an engine that copies, fills,
 * signals and interrupts, as packets in a ring tell it. It draws nothing.
 *
 * <ol>
 *   <li>{@link org.peerlane.device.gpu.GpuDeviceType} is the service that a board's slots ask for,
 *       {@link org.peerlane.device.gpu.GpuBoard} what a board may choose.
 *   <li>{@link org.peerlane.device.gpu.GpuRegister} is the register map, {@link
 *       org.peerlane.device.gpu.Packet} the packets, {@link org.peerlane.device.gpu.PageEntry} the
 *       page tables: formats, as data.
 *   <li>{@link org.peerlane.device.gpu.GpuDevice} answers register accesses, and only notes and
 *       rings.
 *   <li>{@link org.peerlane.device.gpu.GpuEngine} is the thread that does the work: {@link
 *       org.peerlane.device.gpu.CommandRing} fetches, {@link org.peerlane.device.gpu.PacketRunner}
 *       checks and runs, {@link org.peerlane.device.gpu.Mover} moves bytes, {@link
 *       org.peerlane.device.gpu.GpuMmu} translates.
 *   <li>{@link org.peerlane.device.gpu.Steps} is what a reset waits for.
 * </ol>
 *
 * <p><b>Source.</b> None: registers, packets and tables are our own, made of what such engines have
 * in common. docs/gpu.md describes them for who writes a driver.
 */
@NullMarked
package org.peerlane.device.gpu;

import org.jspecify.annotations.NullMarked;
