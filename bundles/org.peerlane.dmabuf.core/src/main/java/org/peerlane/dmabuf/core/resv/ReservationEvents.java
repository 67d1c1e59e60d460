package org.peerlane.dmabuf.core.resv;

import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.trace.api.FallsUnder;
import org.peerlane.trace.api.TraceEvent;

/** What reservations report. A stamp of 0 means without a transaction. */
public final class ReservationEvents {
    private ReservationEvents() {}

    /** A thread has taken the lock (RV-2). */
    @FallsUnder("RV-1")
    public record ReservationLocked(String reservation, String thread, long stamp)
            implements TraceEvent {}

    /** The holder is about to give the lock back, and its reserved slots with it (RV-6). */
    @FallsUnder("RV-6")
    public record ReservationUnlocked(String reservation, String thread, int slotsLost)
            implements TraceEvent {}

    /** A thread queues for the lock. */
    @FallsUnder("RV-2")
    public record ReservationContended(String reservation, String thread, long stamp, String holder)
            implements TraceEvent {}

    /** A transaction gives way to an older one: {@code EDEADLK} (RV-2). */
    @FallsUnder("RV-3")
    public record ReservationBackedOff(String reservation, String thread, long stamp)
            implements TraceEvent {}

    /** Slots are sure now (RV-10). */
    @FallsUnder("RV-10")
    public record FencesReserved(String reservation, int slots) implements TraceEvent {}

    /** A fence was added, into a free slot or over another (RV-12). */
    @FallsUnder("RV-12")
    public record FenceAdded(
            String reservation, FenceUsage usage, long context, long seqno, boolean overwrote)
            implements TraceEvent {}

    /** All fences of a context gave way to one (RV-14). */
    @FallsUnder("RV-14")
    public record FencesReplaced(
            String reservation, long replacedContext, FenceUsage usage, long context, long seqno)
            implements TraceEvent {}

    /** The list was replaced by that of another reservation (RV-25). */
    @FallsUnder("RV-22")
    public record FencesCopied(String reservation, String source, int fences)
            implements TraceEvent {}
}
