package org.peerlane.exporter.gpu;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/** A card's own buffers, the one that was used longest ago first. <b>Threads.</b> Any. */
final class Lru {
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Set<OwnBuffer> buffers = new LinkedHashSet<>();

    Lru(Execution execution) {
        lock = execution.lock("gpu.lru");
    }

    /** It is being used; or new. Who has died meanwhile stays away. */
    void touch(OwnBuffer buffer) {
        lock.lock();
        try {
            buffers.remove(buffer);
            if (!buffer.isDead()) {
                buffers.add(buffer);
            }
        } finally {
            lock.unlock();
        }
    }

    void remove(OwnBuffer buffer) {
        lock.lock();
        try {
            buffers.remove(buffer);
        } finally {
            lock.unlock();
        }
    }

    /** {@return all of them; out of date as soon as it is read} */
    List<OwnBuffer> all() {
        lock.lock();
        try {
            return List.copyOf(buffers);
        } finally {
            lock.unlock();
        }
    }
}
