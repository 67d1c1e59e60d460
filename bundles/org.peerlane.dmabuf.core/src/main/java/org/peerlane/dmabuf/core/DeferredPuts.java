package org.peerlane.dmabuf.core;

import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.RefCount;

/**
 * Last references of who may not run a release: callbacks of fences, and those who hold an mmap
 * lock. Kernel counterpart: {@code delayed_fput()}.
 */
final class DeferredPuts {
    private final Execution execution;

    DeferredPuts(Execution execution) {
        this.execution = execution;
    }

    /** One holder less, on a thread of its own if it is the last. */
    void put(String name, RefCount references) {
        if (references.putUnlessLast()) {
            return;
        }
        try {
            execution.start(ThreadKind.BLOCKING, "dmabuf.fput." + name, references::put);
        } catch (IllegalStateException e) { // the core is leaving, and this thread is all there is
            references.put();
        }
    }
}
