/**
 * The smallest complete device, and the one to read first. {@link
 * org.peerlane.device.edu.EduRegister} is its register map, {@link
 * org.peerlane.device.edu.EduDevice} answers accesses, {@link org.peerlane.device.edu.EduEngine}
 * does the work, {@link org.peerlane.device.edu.EduType} offers the device to boards.
 */
@NullMarked
package org.peerlane.device.edu;

import org.jspecify.annotations.NullMarked;
