package org.peerlane.dmabuf.core.fence;

import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.trace.api.FallsUnder;
import org.peerlane.trace.api.TraceEvent;

/** What fences report. A fence is named by its context and seqno. */
public final class FenceEvents {
    private FenceEvents() {}

    /** A fence was put on its timeline. */
    @FallsUnder("FE-1")
    public record FenceInit(String owner, long context, long seqno) implements TraceEvent {}

    /** Others can see a fence from now on (FE-41). */
    @FallsUnder("FE-41")
    public record FencePublished(String owner, long context, long seqno) implements TraceEvent {}

    /** Somebody waits for a fence: its issuer was asked to make sure that it signals (FE-8). */
    @FallsUnder("FE-8")
    public record FenceEnabled(String owner, long context, long seqno) implements TraceEvent {}

    /** A fence has signaled; its callbacks run after this. */
    @FallsUnder("FE-4")
    public record FenceSignaled(
            String owner, long context, long seqno, long timestamp, @Nullable Errno error)
            implements TraceEvent {}

    /** A thread begins to wait for a fence. */
    @FallsUnder("FE-10")
    public record FenceWaitStart(long context, long seqno, String thread) implements TraceEvent {}

    /** A thread has waited for a fence; {@code left} as {@code Fence.waitTimeout} answers. */
    @FallsUnder("FE-10")
    public record FenceWaitEnd(long context, long seqno, String thread, long left)
            implements TraceEvent {}

    /** Nobody holds a fence any more. */
    @FallsUnder("FE-11")
    public record FenceFreed(String owner, long context, long seqno) implements TraceEvent {}
}
