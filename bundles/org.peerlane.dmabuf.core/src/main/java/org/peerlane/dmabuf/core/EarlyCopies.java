package org.peerlane.dmabuf.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.fence.CoreFence;
import org.peerlane.dmabuf.core.resv.Moves;

/**
 * Sees copies of a buffer's storage that end before those who used it have: the mover has not
 * waited for all of them (CK-29, RV-21). There while checks are on.
 *
 * <p><b>Threads.</b> Moves begin under the reservation, and end anywhere.
 */
final class EarlyCopies implements Moves {
    private final Buffer buffer;
    private final Services services;

    private EarlyCopies(Buffer buffer, Services services) {
        this.buffer = buffer;
        this.services = services;
    }

    /** {@return what watches a buffer; null while checks are off} */
    static @Nullable EarlyCopies watch(Buffer buffer, Services services) {
        if (!services.checks.isOn()) {
            return null;
        }
        EarlyCopies watcher = new EarlyCopies(buffer, services);
        services.primitives.watchMoves(buffer.reservation(), watcher, true);
        return watcher;
    }

    /** The buffer has ended. */
    void close() {
        services.primitives.watchMoves(buffer.reservation(), this, false);
    }

    @Override
    public void begins(CoreFence copy) {
        Epoch users = buffer.invalidation().last();
        if (users != null && users.seen() == MappingState.STALE_BUSY) {
            copy.whenItEnds(() -> ends(copy, users));
        }
    }

    private void ends(CoreFence copy, Epoch users) {
        if (users.seen() == MappingState.STALE_BUSY) {
            services.report(
                    "CK-29",
                    Severity.WRONG,
                    copy.ownerName(),
                    buffer,
                    "the move of %s by %s has ended, and work that had begun before generation %d has not; expected it to wait for fences of every class, BOOKKEEP too"
                            .formatted(buffer, copy, users.generation + 1));
        }
    }
}
