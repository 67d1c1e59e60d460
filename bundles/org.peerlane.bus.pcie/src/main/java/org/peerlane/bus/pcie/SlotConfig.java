package org.peerlane.bus.pcie;

import java.util.Map;

/**
 * A slot of the board.
 *
 * @param name such as {@code edu0}
 * @param device name of the type that goes into it, such as {@code edu}
 * @param address such as {@code 00:04.0}
 * @param options for the device
 */
public record SlotConfig(String name, String device, String address, Map<String, Object> options) {
    /** The options are copied. */
    public SlotConfig {
        options = Map.copyOf(options);
    }
}
