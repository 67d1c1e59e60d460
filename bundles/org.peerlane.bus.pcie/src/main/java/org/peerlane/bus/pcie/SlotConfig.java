package org.peerlane.bus.pcie;

import java.util.Map;

/**
 * A slot of the board.
 *
 * @param name such as {@code edu0}
 * @param device name of the type that goes into it, such as {@code edu}
 * @param address of a place in a root complex, such as {@code 00:04.0}; else empty
 * @param port the port it is below, such as {@code rp0}; else empty
 * @param function below a port: number of the function, 0 to 7
 * @param options for the device
 */
public record SlotConfig(
        String name,
        String device,
        String address,
        String port,
        int function,
        Map<String, Object> options) {
    /** The options are copied. */
    public SlotConfig {
        options = Map.copyOf(options);
    }

    /** A slot in a root complex. */
    public SlotConfig(String name, String device, String address, Map<String, Object> options) {
        this(name, device, address, "", 0, options);
    }

    /** {@return a slot below a port} */
    public static SlotConfig below(
            String port, String name, String device, Map<String, Object> options) {
        return new SlotConfig(name, device, "", port, 0, options);
    }

    String where() {
        return port.isEmpty() ? "at " + address : "below " + port;
    }
}
