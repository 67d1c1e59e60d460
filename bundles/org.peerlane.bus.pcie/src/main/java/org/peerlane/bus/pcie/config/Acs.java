package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/** Access control services: where requests between peers go (PC-31; PC-50 to PC-55 use it). */
public final class Acs extends Capability {
    private static final RegisterMap<AcsRegister> MAP = new RegisterMap<>(AcsRegister.class, 8);
    private static final int VECTOR = 8;

    private final int control;
    private final int vectorBits;

    Acs(CapabilityChain chain, CapabilityLayout.Acs layout) {
        super(chain, CapabilityId.ACS, VECTOR + (layout.egressVectorBits() + 31) / 32 * 4);
        control = at() + 4;
        vectorBits = layout.egressVectorBits();
        define(MAP);
        preset(AcsRegister.CAPABILITY, AcsRegister.SUPPORTED, layout.bits());
        preset(AcsRegister.CAPABILITY, AcsRegister.EGRESS_BITS, vectorBits & 0xFF);
        limit(AcsRegister.CONTROL, AcsRegister.ENABLED, layout.bits());
        for (int bit = 0; bit < vectorBits; bit += 32) {
            long mask = ConfigSpace.ones(4) >>> Math.max(0, 32 - (vectorBits - bit));
            config.define(at() + VECTOR + bit / 8, 4, 0, mask, 0);
        }
    }

    private boolean enabled(int bit) {
        return (config.dword(control) >>> 16 + bit & 1) != 0;
    }

    /** {@return all of the control register} */
    public int control() {
        return config.dword(control) >>> 16;
    }

    /** {@return SV: the requester's bus must be below the port (PC-52)} */
    public boolean validatesSource() {
        return enabled(0);
    }

    /** {@return TB: translated requests are violations (PC-51)} */
    public boolean blocksTranslated() {
        return enabled(1);
    }

    /** {@return RR: requests to peers go up} */
    public boolean redirects() {
        return enabled(2);
    }

    /** {@return CR: completions to peers go up (PC-53)} */
    public boolean redirectsCompletions() {
        return enabled(3);
    }

    /** {@return UF: what comes back down to where it came from is let through (PC-54)} */
    public boolean forwardsUpstream() {
        return enabled(4);
    }

    /** {@return EC: the egress vector decides} */
    public boolean controlsEgress() {
        return enabled(5);
    }

    /** {@return DT: translated requests go direct (PC-51)} */
    public boolean translatedGoDirect() {
        return enabled(6);
    }

    /** {@return the egress bit of a port or function; set: not direct} */
    public boolean egressBlocked(int number) {
        return number >= 0
                && number < vectorBits
                && (config.dword(at() + VECTOR + number / 32 * 4) >>> number & 1) != 0;
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        return before != config.dword(at() + dword) ? Effect.ACS : 0;
    }
}
