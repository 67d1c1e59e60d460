/** The smallest complete PCIe device: read this one first. */
@NullMarked
package org.peerlane.device.edu;

import org.jspecify.annotations.NullMarked;
