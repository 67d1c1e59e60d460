package org.peerlane.memory.core.space;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.peerlane.memory.api.PinnedPages;

/** Pages that a pin holds. */
final class Pinned implements PinnedPages {
    private final PageRefs refs;
    private final long[] frames;
    private final @Nullable Locked charged;
    private final AtomicBoolean gone = new AtomicBoolean();

    Pinned(PageRefs refs, long[] frames, @Nullable Locked charged) {
        this.refs = refs;
        this.frames = frames;
        this.charged = charged;
    }

    @Override
    public int count() {
        return frames.length;
    }

    @Override
    public long physical(int index) {
        return frames[index];
    }

    @Override
    public int contiguous(int index) {
        int next = index + 1;
        while (next < frames.length && frames[next] == frames[next - 1] + Pte.PAGE) {
            next++;
        }
        return next - index;
    }

    @Override
    public void unpin(boolean dirty) {
        if (gone.getAndSet(true)) {
            throw new IllegalStateException("pages that are not pinned any more");
        }
        for (long frame : frames) {
            if (dirty) {
                refs.markDirty(frame);
            }
            refs.unpin(frame);
        }
        if (charged != null) {
            charged.uncharge(frames.length);
        }
    }
}
