/**
 * The smallest complete PCIe device: read this one first.
 *
 * <ol>
 *   <li>{@link org.peerlane.device.edu.EduDeviceType} is the service that a board's slots ask for.
 *   <li>{@link org.peerlane.device.edu.EduRegister} is the register map, as data.
 *   <li>{@link org.peerlane.device.edu.EduDevice} answers register accesses, and only notes and
 *       rings.
 *   <li>{@link org.peerlane.device.edu.EduEngine} is the thread that does the work.
 *   <li>{@link org.peerlane.device.edu.EduTransfer} is one DMA.
 * </ol>
 *
 * <p><b>Source.</b> QEMU's {@code edu} (hw/misc/edu.c, docs/specs/edu.rst): the same identity,
 * registers and buffer, so a driver for the one drives the other. Departures are named where they
 * are made.
 */
@NullMarked
package org.peerlane.device.edu;

import org.jspecify.annotations.NullMarked;
