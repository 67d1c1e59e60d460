package org.peerlane.bus.pcie;

/** Somebody who says what ports a board has. Seen by {@link PcieBusComponent} only. */
public interface PortSource {
    /** {@return what the board says} */
    PortConfig config();
}
