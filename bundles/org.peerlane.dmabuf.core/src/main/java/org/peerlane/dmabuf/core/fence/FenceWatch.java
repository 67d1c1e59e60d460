package org.peerlane.dmabuf.core.fence;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Violation.Severity;

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

    /**
     * Where the fence was made: only the stack counts. Forgotten when it ends, as a stack holds on
     * to the classes of its frames, and who made it may be a bundle that leaves.
     */
    private volatile @Nullable Throwable creator = new Throwable("made here");

    /** Its timeline, once it is on one. */
    volatile @Nullable Timeline timeline;

    /** What it took the place of in reservations, unsignaled then; forgotten when it signals. */
    private final AtomicReference<@Nullable Overwritten> overwritten = new AtomicReference<>();

    /** A fence whose place in a reservation was taken by a later one of its timeline. */
    private record Overwritten(CoreFence fence, String reservation, @Nullable Overwritten next) {}

    /** What is to be looked at when it ends; forgotten then. */
    private final AtomicReference<@Nullable Ending> endings = new AtomicReference<>();

    /** Something that is looked at when a fence ends, in atomic context. */
    private record Ending(Runnable look, @Nullable Ending next) {}

    /** Whether the watchdog has reported it. */
    volatile boolean reported;

    /** {@return who made it, as one line: the frames below those that make fences} */
    String madeBy() {
        Throwable made = creator;
        if (made == null) {
            return "nobody remembers, for it has ended";
        }
        return Arrays.stream(made.getStackTrace())
                .dropWhile(frame -> MAKERS.contains(frame.getClassName()))
                .limit(FRAMES)
                .map(StackTraceElement::toString)
                .collect(Collectors.joining(" < "));
    }

    /** It has taken the place of an earlier fence. */
    void overwrote(CoreFence earlier, String reservation) {
        overwritten.getAndUpdate(others -> new Overwritten(earlier, reservation, others));
    }

    /** Has something looked at when it ends. */
    void whenItEnds(Runnable look) {
        endings.getAndUpdate(others -> new Ending(look, others));
    }

    /** It has ended, so what it took the place of must have (RV-13). */
    void lookAtOverwritten(CoreFence mine) {
        Overwritten old = overwritten.getAndSet(null);
        for (; old != null; old = old.next()) {
            if (!old.fence().isEnded()) {
                mine.report(
                        "CK-21",
                        Severity.FATAL,
                        "signaled before %s, whose place in %s it took: activities that do not wait for each other need a timeline each"
                                .formatted(old.fence(), old.reservation()));
            }
        }
    }

    /** It has ended. */
    void lookAtEnd() {
        creator = null;
        Ending ending = endings.getAndSet(null);
        for (; ending != null; ending = ending.next()) {
            ending.look().run();
        }
    }
}
