package org.peerlane.bus.pcie.config;

/** One capability in its place. Made with the {@link CapabilityChain} that it joins. */
public abstract class Capability extends ConfigBlock {
    private final CapabilityId id;
    private final int bytes;

    Capability(CapabilityChain chain, CapabilityId id, int bytes) {
        super(chain.config(), chain.join(id, bytes));
        this.id = id;
        this.bytes = bytes;
    }

    /** {@return what it is} */
    public final CapabilityId id() {
        return id;
    }

    /** {@return its length, header included} */
    public final int bytes() {
        return bytes;
    }
}
