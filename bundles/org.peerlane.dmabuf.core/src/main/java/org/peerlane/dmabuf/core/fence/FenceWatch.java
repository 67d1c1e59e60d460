package org.peerlane.dmabuf.core.fence;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fences;

/** What checks keep of one fence. <b>Threads.</b> As the fence. */
final class FenceWatch {
    private static final int FRAMES = 8;

    private static final Set<String> MAKERS =
            Set.of(
                    Fences.class.getName(),
                    CoreFences.class.getName(),
                    CoreFence.class.getName(),
                    ArrayFence.class.getName(),
                    ChainFence.class.getName(),
                    FenceMerge.class.getName());

    /** Where the fence was made: only the stack counts. */
    final Throwable creator = new Throwable("made here");

    /** Its timeline, once it is on one. */
    volatile @Nullable Timeline timeline;

    /** What it took the place of in reservations, unsignaled then; forgotten when it signals. */
    final AtomicReference<@Nullable Overwritten> overwrote = new AtomicReference<>();

    /** A fence whose place in a reservation was taken by a later one of its timeline. */
    record Overwritten(CoreFence fence, String reservation, @Nullable Overwritten next) {}

    /** What is to be looked at when it ends; forgotten then. */
    final AtomicReference<@Nullable Ending> endings = new AtomicReference<>();

    /** Something that is looked at when a fence ends, in atomic context. */
    record Ending(Runnable look, @Nullable Ending next) {}

    /** Whether the watchdog has reported it. */
    volatile boolean reported;

    /** {@return who made it, as one line: the frames below those that make fences} */
    String madeBy() {
        return Arrays.stream(creator.getStackTrace())
                .dropWhile(frame -> MAKERS.contains(frame.getClassName()))
                .limit(FRAMES)
                .map(StackTraceElement::toString)
                .collect(Collectors.joining(" < "));
    }
}
