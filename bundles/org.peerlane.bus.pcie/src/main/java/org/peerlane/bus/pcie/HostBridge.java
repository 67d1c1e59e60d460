package org.peerlane.bus.pcie;

/**
 * One host bridge of the root complex: a segment or a part of its buses, the physical addresses
 * that it passes on to them, and whether requests of devices go through it to other devices.
 *
 * <p>An address on its buses is the physical address plus {@link #offset()} (IM-18).
 */
final class HostBridge {
    private final HostBridgeConfig config;
    private final Bus root;

    HostBridge(HostBridgeConfig config) {
        this.config = config;
        root = new Bus(this, null);
    }

    HostBridgeConfig config() {
        return config;
    }

    Bus root() {
        return root;
    }

    long offset() {
        return config.busOffset();
    }

    /** {@return whether a physical address is one of its windows'} */
    boolean decodes(long physical) {
        return within(physical, config.lowFirst(), config.lowLast())
                || within(physical, config.highFirst(), config.highLast());
    }

    /** {@return whether it passes a port of I/O space on} */
    boolean decodesPort(long port) {
        return port >= config.ioFirst() && port <= config.ioLast();
    }

    /** Narrows a span to the side of the windows where the address is. */
    void bound(long physical, Span span) {
        span.bound(physical, config.lowFirst(), config.lowLast());
        span.bound(physical, config.highFirst(), config.highLast());
    }

    private static boolean within(long address, long first, long last) {
        return Long.compareUnsigned(address - first, last - first) <= 0;
    }

    @Override
    public String toString() {
        return "host bridge " + config.name();
    }
}
