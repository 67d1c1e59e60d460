package org.peerlane.bus.pcie.config;

import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.Field;
import org.peerlane.registers.RegisterMap;

/**
 * Advanced error reporting (PC-32, PC-33). The log keeps the first error until software clears its
 * status bit; later ones set their bit only. {@link ErrorReporting} is what the bus calls: it knows
 * of the older registers, too.
 *
 * <p><b>Source.</b> PCIe 5.0, 6.2.3.2.4, 6.2.4 and figure 6-2.
 */
public final class Aer extends Capability {
    private static final int BYTES = 0x48;
    private static final RegisterMap<AerRegister> MAP = new RegisterMap<>(AerRegister.class, BYTES);
    private static final RegisterMap<AerRootRegister> ROOT =
            new RegisterMap<>(AerRootRegister.class, BYTES);
    private static final int STATUS = 0x04;
    private static final int MASK = 0x08;
    private static final int SEVERITY = 0x0C;

    private final boolean root;

    Aer(CapabilityChain chain, CapabilityLayout.Aer layout, boolean root) {
        super(chain, CapabilityId.AER, BYTES);
        this.root = root;
        define(MAP);
        if (root) {
            define(ROOT);
        }
    }

    /** {@return whether software takes an error for fatal} */
    public boolean isFatal(PcieError error) {
        return (config.dword(at() + SEVERITY) & error.mask()) != 0;
    }

    /** {@return whether software does not want to hear of an error} */
    public boolean isMasked(PcieError error) {
        return (config.dword(at() + MASK) & error.mask()) != 0;
    }

    /**
     * Logs an uncorrectable error.
     *
     * @param advisory nobody but the requester need care: it is reported as correctable if software
     *     does not take it for fatal (PC-33)
     * @param h0 first dword of the request's header, its byte 0 in bits 31:24
     * @return what must be sent as far as AER decides
     */
    public ErrorMessage log(PcieError error, boolean advisory, int h0, int h1, int h2, int h3) {
        boolean fatal = isFatal(error);
        boolean masked = isMasked(error);
        if (advisory && !fatal) {
            if (log(AerRegister.ADVISORY) == ErrorMessage.NONE) {
                return ErrorMessage.NONE; // masked: not even the uncorrectable status
            }
            record(error, masked, h0, h1, h2, h3);
            return ErrorMessage.CORRECTABLE;
        }
        record(error, masked, h0, h1, h2, h3);
        if (masked) {
            return ErrorMessage.NONE;
        }
        return fatal ? ErrorMessage.FATAL : ErrorMessage.NONFATAL;
    }

    /** {@return what a correctable error sends} */
    ErrorMessage log(Field correctable) {
        set(AerRegister.CORRECTABLE_STATUS, correctable, 1);
        boolean masked = (get(AerRegister.CORRECTABLE_MASK) & correctable.mask()) != 0;
        return masked ? ErrorMessage.NONE : ErrorMessage.CORRECTABLE;
    }

    private void record(PcieError error, boolean masked, int h0, int h1, int h2, int h3) {
        int first = get(AerRegister.CONTROL, AerRegister.FIRST_ERROR);
        int status = config.dword(at() + STATUS);
        boolean occupied = (status >>> first & 1) != 0;
        config.set(at() + STATUS, 4, status | error.mask());
        if (masked || occupied) {
            return;
        }
        set(AerRegister.CONTROL, AerRegister.FIRST_ERROR, error.bit());
        config.set(at() + AerRegister.HEADER_LOG_0.offset(), 4, h0);
        config.set(at() + AerRegister.HEADER_LOG_1.offset(), 4, h1);
        config.set(at() + AerRegister.HEADER_LOG_2.offset(), 4, h2);
        config.set(at() + AerRegister.HEADER_LOG_3.offset(), 4, h3);
    }

    /**
     * A root port gets a message from below, or its own.
     *
     * @param requesterId of the function that sent it
     * @return whether an interrupt must be sent; never at a port that is no root
     */
    public boolean received(ErrorMessage message, int requesterId) {
        if (!root || message == ErrorMessage.NONE) {
            return false;
        }
        boolean before = interrupts();
        if (message == ErrorMessage.CORRECTABLE) {
            first(
                    AerRootRegister.CORRECTABLE,
                    AerRootRegister.MULTIPLE_CORRECTABLE,
                    AerRootRegister.CORRECTABLE_SOURCE,
                    requesterId);
        } else {
            boolean fatal = message == ErrorMessage.FATAL;
            boolean first =
                    first(
                            AerRootRegister.UNCORRECTABLE,
                            AerRootRegister.MULTIPLE_UNCORRECTABLE,
                            AerRootRegister.UNCORRECTABLE_SOURCE,
                            requesterId);
            if (first && fatal) {
                set(AerRootRegister.ROOT_STATUS, AerRootRegister.FIRST_FATAL, 1);
            }
            set(
                    AerRootRegister.ROOT_STATUS,
                    fatal ? AerRootRegister.FATAL_RECEIVED : AerRootRegister.NONFATAL_RECEIVED,
                    1);
        }
        return !before && interrupts();
    }

    private boolean first(Field received, Field multiple, Field source, int requesterId) {
        if (is(AerRootRegister.ROOT_STATUS, received)) {
            set(AerRootRegister.ROOT_STATUS, multiple, 1);
            return false;
        }
        set(AerRootRegister.ROOT_STATUS, received, 1);
        set(AerRootRegister.SOURCE, source, requesterId & 0xFFFF);
        return true;
    }

    /** {@return whether a root port has an error that software wants to be interrupted for} */
    public boolean interrupts() {
        return root
                && (wants(AerRootRegister.CORRECTABLE_ENABLE, AerRootRegister.CORRECTABLE)
                        || wants(AerRootRegister.NONFATAL_ENABLE, AerRootRegister.NONFATAL_RECEIVED)
                        || wants(AerRootRegister.FATAL_ENABLE, AerRootRegister.FATAL_RECEIVED));
    }

    private boolean wants(Field enable, Field status) {
        return is(AerRootRegister.ROOT_COMMAND, enable) && is(AerRootRegister.ROOT_STATUS, status);
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        return root && dword >= AerRootRegister.ROOT_COMMAND.offset() ? Effect.ERRORS : 0;
    }
}
