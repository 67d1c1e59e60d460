package org.peerlane.bus.pcie;

import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.Pri;

/**
 * What config space and a function's {@link AtsFunction} tell each other: whether translation and
 * page requests may be sent, and what became of the latter (IM-12, IM-15).
 *
 * <p><b>Locks.</b> All with the function's held.
 */
final class PageRegisters {
    private final FunctionConfig config;
    private final AtsFunction ats;

    PageRegisters(FunctionConfig config, AtsFunction ats) {
        this.config = config;
        this.ats = ats;
    }

    /** Config space may have changed. */
    void follow(boolean present) {
        ats.program(present ? programmed() : AtsFunction.Programmed.OFF);
        stop();
    }

    private AtsFunction.Programmed programmed() {
        Pri pri = config.pri();
        return new AtsFunction.Programmed(
                config.ats() != null && config.ats().enabled(),
                pri != null && pri.enabled(),
                pri == null ? 0 : (int) Math.min(Integer.MAX_VALUE, pri.allowed()));
    }

    /**
     * Once disabled, page requests have stopped when the last was answered, or software says so.
     */
    private void stop() {
        Pri pri = config.pri();
        if (pri != null && !pri.enabled()) {
            if (pri.stopped()) {
                ats.forgetPages();
            } else if (!ats.awaitsPages()) {
                pri.stopped(true);
            }
        }
    }

    /** A response to page requests has come. */
    void answered(boolean failed, boolean unexpected) {
        Pri pri = config.pri();
        if (pri == null) {
            return;
        }
        if (failed) {
            pri.responseFailed();
        }
        if (unexpected) {
            pri.unexpectedGroup();
        }
        stop();
    }
}
