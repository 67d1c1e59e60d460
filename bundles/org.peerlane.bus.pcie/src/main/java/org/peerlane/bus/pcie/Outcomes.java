package org.peerlane.bus.pcie;

import java.util.concurrent.atomic.LongAdder;
import org.peerlane.bus.api.DmaResult;

/**
 * What becomes of one function's requests, where it is counted, logged and traced.
 *
 * <p><b>Posted.</b> A write that nobody takes is counted and traced, and the function told OK.
 *
 * <p><b>Threads.</b> Any. <b>Cost.</b> Of what arrives: one field read, unless somebody listens.
 */
final class Outcomes {
    private static final long PAGE = 4096;

    /** In the bytes of an answer that is OK: a posted write that nobody took. */
    private static final long LOST = 1L << 55;

    private final BusTrace trace;
    private final Sender sender;
    private final LongAdder lost = new LongAdder();
    private final LongAdder refused = new LongAdder();

    Outcomes(BusTrace trace, Sender sender) {
        this.trace = trace;
        this.sender = sender;
    }

    /** {@return transactions of posted writes that nobody took} */
    long lost() {
        return lost.sum();
    }

    /** {@return requests that were refused, and the function told so} */
    long refused() {
        return refused.sum();
    }

    /** {@return the bytes of an answer that is OK, lost ones included} */
    static long covered(long result) {
        return result & ~LOST;
    }

    /** {@return whether an answer stands for bytes that have been moved} */
    static boolean isMoved(long result) {
        return DmaResult.isOk(result) && (result & LOST) == 0;
    }

    /** Bytes have been moved. */
    void moved(long from, long at, long bytes, boolean write) {
        if (write) {
            if (trace.dmaWrite.isOn()) {
                trace.dmaWrite.emit(new BusEvents.DmaWrite(sender.address(), from, at, bytes));
            }
        } else if (trace.dmaRead.isOn()) {
            trace.dmaRead.emit(new BusEvents.DmaRead(sender.address(), from, at, bytes));
        }
    }

    /** A request ends before it has left the function. {@return status and bytes done before} */
    long refuse(long from, long bytes, boolean write, int status, long done) {
        refused.increment();
        if (trace.dmaRefused.isOn()) {
            String why = DmaResult.describe(DmaResult.of(status, 0));
            trace.dmaRefused.emit(
                    new BusEvents.DmaRefused(sender.address(), from, bytes, write, why));
        }
        return DmaResult.of(status, done);
    }

    /** PC-55, PC-66: whoever refuses logs it. */
    long refusedBy(Route route, long from, long bytes, boolean write) {
        RequestErrors.refused(sender.function(), route, from, bytes, write);
        return !write && route.end() == Route.End.VIOLATION
                ? aborted(DmaResult.COMPLETER_ABORT)
                : unanswered(from, bytes, write, route.why());
    }

    /** A fault stops a read at once; of a write it loses this page only (IM-5, IM-8). */
    long faulted(long from, long bytes, boolean write, int status) {
        long page = Math.min(bytes, PAGE - (from & PAGE - 1));
        return write ? unanswered(from, page, true, "IOMMU fault") : aborted(status);
    }

    /** Nobody takes it. {@return of a read the status, of a write its bytes, marked as lost} */
    long unanswered(long from, long bytes, boolean write, String why) {
        if (!write) {
            return aborted(DmaResult.UNSUPPORTED_REQUEST);
        }
        lose(from, bytes, why);
        return bytes | LOST;
    }

    private long aborted(int status) {
        sender.function().errors().aborted(status == DmaResult.COMPLETER_ABORT);
        return DmaResult.of(status, 0);
    }

    /** A posted write is lost. */
    void lose(long from, long bytes, String why) {
        lost.add(((from & PAGE - 1) + bytes + PAGE - 1) / PAGE); // requests, had they been single
        if (trace.dmaLost.isOn()) {
            trace.dmaLost.emit(new BusEvents.DmaLost(sender.address(), from, bytes, why));
        }
    }
}
