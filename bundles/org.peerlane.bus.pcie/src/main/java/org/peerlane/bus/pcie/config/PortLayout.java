package org.peerlane.bus.pcie.config;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;

/**
 * What a port looks like from outside.
 *
 * @param type root port, upstream or downstream port
 * @param vendorId 16 bits
 * @param deviceId 16 bits
 * @param revision 8 bits
 * @param portNumber 8 bits
 * @param interruptPin 1 to 4; 0: no INTx
 * @param slot the slot below, or null
 * @param ioBits how wide its I/O window is: 32, 16, or 0: it has none
 * @param capabilities in the order of the lists, {@link CapabilityLayout.Express} among them
 */
public record PortLayout(
        ExpressType type,
        int vendorId,
        int deviceId,
        int revision,
        int portNumber,
        int interruptPin,
        @Nullable SlotLayout slot,
        int ioBits,
        List<CapabilityLayout> capabilities) {

    /** SV, TB, RR, CR, UF and DT: what ports offer (PC-31). */
    public static final int ACS_BITS = 0x5F;

    /**
     * @throws IllegalArgumentException it is no port, has no Express capability, or a slot where
     *     none can be
     */
    public PortLayout {
        capabilities = List.copyOf(capabilities);
        if (type == ExpressType.ENDPOINT || type == ExpressType.ROOT_COMPLEX_ENDPOINT) {
            throw new IllegalArgumentException(type + " is no port");
        }
        if (capabilities.stream().noneMatch(CapabilityLayout.Express.class::isInstance)) {
            throw new IllegalArgumentException("a port without the Express capability");
        }
        if (slot != null && !type.leadsDown()) {
            throw new IllegalArgumentException("a slot at " + type + "; it is not above a link");
        }
    }

    /**
     * {@return a port with power management, MSI, Express, AER and, if a link leads down, ACS}
     *
     * @param slot the slot below, or null
     */
    public static PortLayout of(
            ExpressType type,
            int vendorId,
            int deviceId,
            int portNumber,
            @Nullable SlotLayout slot) {
        List<CapabilityLayout> common =
                List.of(
                        new CapabilityLayout.PowerManagement(false, false, true, 0x19),
                        new CapabilityLayout.Msi(1, true, true),
                        CapabilityLayout.Express.plain(),
                        new CapabilityLayout.Aer());
        List<CapabilityLayout> all = new ArrayList<>(common);
        if (type.leadsDown()) {
            all.add(new CapabilityLayout.Acs(ACS_BITS, 0));
        }
        return new PortLayout(type, vendorId, deviceId, 0, portNumber, 1, slot, 32, all);
    }
}
