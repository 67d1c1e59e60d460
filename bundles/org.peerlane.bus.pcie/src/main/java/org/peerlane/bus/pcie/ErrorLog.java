package org.peerlane.bus.pcie;

import org.peerlane.bus.api.ReadFailure;
import org.peerlane.bus.pcie.config.ErrorMessage;
import org.peerlane.bus.pcie.config.Express;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.PcieError;

/**
 * What failed requests leave in one function's config space, and what it tells the root port
 * (PC-33, PC-66). Of a function that has left, nothing is seen any more.
 *
 * <p><b>Locks.</b> The function's; the message goes without it.
 */
final class ErrorLog {
    private static final long DEFAULT_TIMEOUT_NANOS = 50_000_000L;

    private final BusFunction function;
    private final FunctionConfig config;

    ErrorLog(BusFunction function, FunctionConfig config) {
        this.function = function;
        this.config = config;
    }

    /**
     * A request has failed here, or one that the function had sent.
     *
     * @param advisory whoever asked learns of it from the answer
     */
    void log(PcieError error, boolean advisory, Tlp request) {
        if (!function.isPresent()) {
            return;
        }
        ErrorMessage message;
        function.lock.lock();
        try {
            if (error == PcieError.COMPLETER_ABORT) {
                config.header().signalledTargetAbort();
            } else if (error == PcieError.POISONED) {
                config.header().receivedPoison();
            }
            message =
                    config.errors()
                            .uncorrectable(
                                    error,
                                    advisory,
                                    request.dword(0),
                                    request.dword(1),
                                    request.dword(2),
                                    request.dword(3));
        } finally {
            function.lock.unlock();
        }
        function.fabric.report(function, message);
    }

    /** It has answered a read with no value; silence and bad data are noticed by who asked. */
    void answers(ReadFailure failure, Tlp request) {
        switch (failure.kind()) {
            case UNSUPPORTED_REQUEST -> log(PcieError.UNSUPPORTED_REQUEST, true, request);
            case COMPLETER_ABORT -> log(PcieError.COMPLETER_ABORT, true, request);
            case NO_COMPLETION, POISONED -> {}
        }
    }

    /**
     * A read of its own was refused: Status bit 12 or 13.
     *
     * @param target by a completer abort; else as an unsupported request
     */
    void aborted(boolean target) {
        function.lock.lock();
        try {
            if (target) {
                config.header().receivedTargetAbort();
            } else {
                config.header().receivedMasterAbort();
            }
        } finally {
            function.lock.unlock();
        }
    }

    /** Says whether a read of its own waits for its completion. */
    void pending(boolean outstanding) {
        function.lock.lock();
        try {
            Express express = config.express();
            if (express != null) {
                express.pending(outstanding);
            }
        } finally {
            function.lock.unlock();
        }
    }

    /** {@return how long a read of the function's waits for its completion (PC-67)} */
    long completionTimeoutNanos() {
        function.lock.lock();
        try {
            Express express = config.express();
            return express == null ? DEFAULT_TIMEOUT_NANOS : express.completionTimeoutNanos();
        } finally {
            function.lock.unlock();
        }
    }
}
