package org.peerlane.bus.pcie.config;

import org.jspecify.annotations.Nullable;
import org.peerlane.registers.Field;

/**
 * What an error leaves in a function's registers, old and new, and what the function must send.
 *
 * <p><b>Source.</b> PCIe 5.0, figure 6-2; QEMU {@code pcie_aer_inject_error}.
 */
public final class ErrorReporting {
    private final Header header;
    private final @Nullable Express express;
    private final @Nullable Aer aer;

    ErrorReporting(Header header, @Nullable Express express, @Nullable Aer aer) {
        this.header = header;
        this.express = express;
        this.aer = aer;
    }

    /**
     * An uncorrectable error.
     *
     * @param advisory a completer answers a non-posted request with it, so that its requester
     *     knows; false for posted ones (PC-33)
     * @param h0 first dword of the request's header, its byte 0 in bits 31:24
     * @return what to send to the root
     */
    public ErrorMessage uncorrectable(
            PcieError error, boolean advisory, int h0, int h1, int h2, int h3) {
        if (express == null) {
            return ErrorMessage.NONE;
        }
        boolean fatal = aer == null ? error.fatalByDefault() : aer.isFatal(error);
        boolean unsupported = error == PcieError.UNSUPPORTED_REQUEST;
        if (unsupported) {
            detected(ExpressRegister.UNSUPPORTED);
        }
        ErrorMessage message;
        if (advisory && !fatal) {
            detected(ExpressRegister.CORRECTABLE);
            message = ErrorMessage.CORRECTABLE;
        } else {
            detected(fatal ? ExpressRegister.FATAL : ExpressRegister.NONFATAL);
            message = fatal ? ErrorMessage.FATAL : ErrorMessage.NONFATAL;
        }
        if (aer != null) {
            message = aer.log(error, advisory, h0, h1, h2, h3);
        }
        return filter(message, unsupported);
    }

    /** A correctable error. {@return what to send to the root} */
    ErrorMessage correctable(Field bit) {
        if (express == null) {
            return ErrorMessage.NONE;
        }
        detected(ExpressRegister.CORRECTABLE);
        return filter(aer == null ? ErrorMessage.CORRECTABLE : aer.log(bit), false);
    }

    /** The receiver got a packet that the link had to send again: the usual correctable error. */
    public ErrorMessage badPacket() {
        return correctable(AerRegister.BAD_TLP);
    }

    private ErrorMessage filter(ErrorMessage message, boolean unsupported) {
        boolean serr = header.serrEnabled() && message != ErrorMessage.CORRECTABLE;
        if (unsupported && !reports(ExpressRegister.REPORT_UNSUPPORTED) && !serr) {
            return ErrorMessage.NONE;
        }
        boolean sent =
                switch (message) {
                    case NONE -> false;
                    case CORRECTABLE -> reports(ExpressRegister.REPORT_CORRECTABLE);
                    case NONFATAL -> serr || reports(ExpressRegister.REPORT_NONFATAL);
                    case FATAL -> serr || reports(ExpressRegister.REPORT_FATAL);
                };
        if (sent && serr) {
            header.signalledSerr();
        }
        return sent ? message : ErrorMessage.NONE;
    }

    private boolean reports(Field enable) {
        return express != null && express.is(ExpressRegister.DEVCTL, enable);
    }

    private void detected(Field bit) {
        if (express != null) {
            express.set(ExpressRegister.DEVSTA, bit, 1);
        }
    }
}
