/**
 * What an engineer expects who knows pciutils: {@code lspci} and {@code setpci}, and the physical
 * address map. All of it works from config space and from the addresses that the bus has assigned.
 *
 * <p><b>Source.</b> Output and options are those of pciutils 3.9 and later; register layouts are
 * PCIe 5.0 chapter 7.
 */
@NullMarked
package org.peerlane.shell.pci;

import org.jspecify.annotations.NullMarked;
