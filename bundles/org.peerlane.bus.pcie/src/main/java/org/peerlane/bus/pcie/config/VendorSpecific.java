package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;

/** A vendor's own capability: a length, and bytes that are only read. */
public final class VendorSpecific extends Capability {
    private static final int HEADER_BYTES = 3;

    VendorSpecific(CapabilityChain chain, CapabilityLayout.Vendor layout) {
        super(chain, CapabilityId.VENDOR, HEADER_BYTES + layout.bytes().size());
        config.define(at() + 2, 1, bytes());
        int offset = at() + HEADER_BYTES;
        for (byte value : layout.bytes()) {
            config.define(offset++, 1, value);
        }
    }
}
