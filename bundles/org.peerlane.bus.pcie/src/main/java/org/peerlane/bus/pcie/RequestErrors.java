package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.ReadFailure;
import org.peerlane.bus.pcie.config.PcieError;

/**
 * What a memory request that fails leaves in the registers of those that had to do with it: at
 * whoever refuses it as an error of the completer's, at whoever asked in its Status (PC-8, PC-33,
 * PC-55, PC-66, PC-67).
 *
 * <p><b>Locks.</b> {@code bus.function} of each, one after the other. <b>Threads.</b> Any, inside a
 * transaction too. <b>Cost.</b> Nothing of this runs while all is well.
 */
final class RequestErrors {
    private static final long SLICE_NANOS = 10_000_000L;

    private RequestErrors() {}

    /** A function's request has come to an end that does not take it. */
    static void refused(Endpoint from, Route route, long address, long bytes, boolean write) {
        Tlp request = new Tlp(write, from.requesterId(), address, bytes);
        Port at = route.port() != null ? route.port() : from.rootPort();
        boolean violation = route.end() == Route.End.VIOLATION;
        if (at != null) {
            PcieError error = violation ? PcieError.ACS_VIOLATION : PcieError.UNSUPPORTED_REQUEST;
            at.errors().log(error, !write, request);
        }
    }

    /**
     * A peer answers a read with no value.
     *
     * @return the status of the read
     */
    static int failed(
            Endpoint from, Endpoint completer, ReadFailure failure, long address, long bytes) {
        Tlp request = new Tlp(false, from.requesterId(), address, bytes);
        completer.errors().answers(failure, request);
        return switch (failure.kind()) {
            case UNSUPPORTED_REQUEST -> {
                from.errors().aborted(false);
                yield DmaResult.UNSUPPORTED_REQUEST;
            }
            case COMPLETER_ABORT -> {
                from.errors().aborted(true);
                yield DmaResult.COMPLETER_ABORT;
            }
            case NO_COMPLETION -> DmaResult.TIMEOUT;
            case POISONED -> {
                from.errors().log(PcieError.POISONED, false, request);
                yield DmaResult.POISONED;
            }
        };
    }

    /** A function answers a read of the CPU's with no value; the root port has asked for it. */
    static void failed(Endpoint completer, ReadFailure failure, long address, long bytes) {
        Port root = completer.rootPort();
        Tlp request = ofCpu(root, false, address, bytes);
        completer.errors().answers(failure, request);
        if (root != null) {
            switch (failure.kind()) {
                case NO_COMPLETION ->
                        root.errors().log(PcieError.COMPLETION_TIMEOUT, false, request);
                case POISONED -> root.errors().log(PcieError.POISONED, false, request);
                case UNSUPPORTED_REQUEST, COMPLETER_ABORT -> {}
            }
        }
    }

    /** A request of the CPU's has come to an end that does not take it. */
    static void unanswered(Route route, long address, long bytes, boolean write) {
        Port at = route.port();
        if (at != null && route.end() == Route.End.NOBODY) {
            Tlp request = ofCpu(at.rootPort(), write, address, bytes);
            at.errors().log(PcieError.UNSUPPORTED_REQUEST, !write, request);
        }
    }

    /** An I/O request of the CPU's ends at a bridge; whoever sends one waits for the answer. */
    static void unanswered(@Nullable BusFunction at, long port, long bytes) {
        if (at instanceof Port bridge) {
            Tlp request = ofCpu(bridge.rootPort(), false, port, bytes);
            bridge.errors().log(PcieError.UNSUPPORTED_REQUEST, true, request);
        }
    }

    private static Tlp ofCpu(@Nullable Port root, boolean write, long address, long bytes) {
        return new Tlp(write, root == null ? 0 : root.requesterId(), address, bytes);
    }

    /**
     * Waits for a completion that does not come (PC-67). Not inside a transaction.
     *
     * @param life of which the read is
     * @return {@link DmaResult#TIMEOUT}, or {@link DmaResult#GONE} if the life ends before
     */
    static int awaitTimeout(Endpoint from, long life, long address, long bytes) {
        long left = from.errors().completionTimeoutNanos();
        boolean interrupted = false;
        from.errors().pending(true);
        while (left > 0 && from.generation() == life) {
            long slice = Math.min(left, SLICE_NANOS);
            try {
                from.fabric.execution.sleep(slice);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            left -= left == Long.MAX_VALUE ? 0 : slice;
        }
        from.errors().pending(false);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (from.generation() != life) {
            return DmaResult.GONE;
        }
        Tlp request = new Tlp(false, from.requesterId(), address, bytes);
        from.errors().log(PcieError.COMPLETION_TIMEOUT, false, request);
        return DmaResult.TIMEOUT;
    }
}
