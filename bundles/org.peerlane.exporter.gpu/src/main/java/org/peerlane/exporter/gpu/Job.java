package org.peerlane.exporter.gpu;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.kernel.api.Errno;

/**
 * Work for the engine, which ends with a fence.
 *
 * <p><b>Life.</b> Queued by {@link Engine#submit}; written to the ring when what it waits for has
 * ended; over when its fence signals.
 */
final class Job {
    /**
     * One packet.
     *
     * @param source null: fills
     * @param target where to
     * @param pattern to fill with
     */
    record Step(@Nullable Run source, Run target, int pattern) {
        long bytes() {
            return target.bytes();
        }
    }

    final List<Step> steps;

    /** Whether its last bytes are read back before it ends: they go to a peer. */
    final boolean flush;

    /** What it has to come after. */
    final Dependencies waits;

    /** One reference of it is the job's. */
    final Fence fence;

    /** Where in the ring the one after it begins; -1 until it is written. Engine's thread. */
    volatile long end = -1;

    /** What it brings to another place; null: it moves nothing. */
    final @Nullable OwnBuffer moved;

    /** Why it is not done; null: it is to be done. Under the engine's locks. */
    @Nullable Errno givenUp;

    Job(
            List<Step> steps,
            boolean flush,
            Dependencies waits,
            Fence fence,
            @Nullable OwnBuffer moved) {
        this.moved = moved;
        this.steps = steps;
        this.flush = flush;
        this.waits = waits;
        this.fence = fence;
    }
}
