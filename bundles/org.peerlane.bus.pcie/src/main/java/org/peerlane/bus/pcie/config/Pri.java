package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/** Page requests (IM-15). */
public final class Pri extends Capability {
    private static final RegisterMap<PriRegister> MAP = new RegisterMap<>(PriRegister.class, 16);
    private static final int CONTROL = 4;

    Pri(CapabilityChain chain, CapabilityLayout.Pri layout) {
        super(chain, CapabilityId.PRI, 16);
        define(MAP);
        preset(PriRegister.STATUS, PriRegister.PASID_REQUIRED, layout.pasidRequired());
        preset(PriRegister.CAPACITY, PriRegister.MOST, layout.capacity());
    }

    /** {@return whether the function may send page requests} */
    public boolean enabled() {
        return (config.dword(at() + CONTROL) & 1) != 0;
    }

    /**
     * {@return how many may be outstanding: what software allows, at most what there is room for}
     */
    public long allowed() {
        return Math.min(
                PriRegister.ALLOWED.get(get(PriRegister.ALLOCATION)),
                PriRegister.MOST.get(get(PriRegister.CAPACITY)));
    }

    /** {@return whether it sends no more, and none is outstanding} */
    public boolean stopped() {
        return is(PriRegister.STATUS, PriRegister.STOPPED);
    }

    /** Says whether requests that were sent before it was disabled have all been answered. */
    public void stopped(boolean none) {
        set(PriRegister.STATUS, PriRegister.STOPPED, none);
    }

    /**
     * A response said failure: the function stops asking, and expects no answer any more, until
     * software has disabled it and enables it again (IM-15).
     */
    public void responseFailed() {
        set(PriRegister.STATUS, PriRegister.RESPONSE_FAILURE, 1);
        stopped(true);
    }

    /** A response came for a group that was never asked for. */
    public void unexpectedGroup() {
        set(PriRegister.STATUS, PriRegister.UNEXPECTED_GROUP, 1);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (dword != CONTROL || !hit(PriRegister.CONTROL, dword, lanes)) {
            return 0;
        }
        boolean was = PriRegister.ENABLE.get(of(PriRegister.CONTROL, before)) != 0;
        if (enabled() && !was) {
            stopped(false);
            set(PriRegister.STATUS, PriRegister.RESPONSE_FAILURE, 0);
            set(PriRegister.STATUS, PriRegister.UNEXPECTED_GROUP, 0);
        } else if (!enabled() && PriRegister.RESET.get(of(PriRegister.CONTROL, x)) != 0) {
            stopped(true);
        }
        return Effect.TRANSLATION;
    }
}
