package org.peerlane.dmabuf.core.fence;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/** Everybody who makes fences, as long as somebody else still knows him. <b>Threads.</b> Any. */
final class Owners {
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Set<CoreFences> all = Collections.newSetFromMap(new WeakHashMap<>());

    Owners(Execution execution) {
        lock = execution.lock("dmabuf.fence.owners");
    }

    void add(CoreFences owner) {
        lock.lock();
        try {
            all.add(owner);
        } finally {
            lock.unlock();
        }
    }

    List<CoreFences> list() {
        lock.lock();
        try {
            return new ArrayList<>(all);
        } finally {
            lock.unlock();
        }
    }
}
