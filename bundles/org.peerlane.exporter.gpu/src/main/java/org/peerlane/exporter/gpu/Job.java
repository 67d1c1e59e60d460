package org.peerlane.exporter.gpu;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.kernel.api.Errno;

/**
 * Work for the engine, which ends with a fence.
 *
 * <p><b>Life.</b> Queued by {@link Engine#submit}; written to the ring when what it waits for has
 * ended; over when its fence signals. One that is given up before its turn waits all the same: who
 * waits for it relies on what it comes after having ended.
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

    /** Where in the ring the one after it begins; -1: not all of it is written. */
    volatile long end = -1;

    /** Why it is given up once what it waits for has ended; null: it is not. */
    volatile @Nullable Errno cancelled;

    Job(List<Step> steps, boolean flush, Dependencies waits, Fence fence) {
        this.steps = steps;
        this.flush = flush;
        this.waits = waits;
        this.fence = fence;
    }

    /**
     * {@return whether the card has ended it}
     *
     * @param reached the last number that the card has written
     */
    boolean hasEnded(long reached) {
        return end >= 0 && fence.seqno() <= reached;
    }
}
