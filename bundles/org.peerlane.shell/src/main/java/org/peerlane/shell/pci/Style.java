package org.peerlane.shell.pci;

/** How lspci writes vendors, devices and classes: by name, with {@code -n}, with {@code -nn}. */
enum Style {
    NAMES,
    NUMBERS,
    BOTH
}
