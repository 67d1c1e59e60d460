package org.peerlane.exporter.vfio;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.NamedLock;

/**
 * The buffers that have been made of a function's BARs.
 *
 * <p><b>Locks.</b> {@code vfio.exports} guards the list only: a buffer that ends takes itself off,
 * also while somebody waits for an importer with {@code vfio.memory} held.
 */
final class Exports {
    private final Surroundings surroundings;
    private final VfioPciDevice device;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Set<DmaBuf> live = new LinkedHashSet<>();

    /** Guarded by lock. */
    private boolean closed;

    Exports(Surroundings surroundings, VfioPciDevice device) {
        this.surroundings = surroundings;
        this.device = device;
        lock = surroundings.execution.lock("vfio.exports");
    }

    /** {@return whether it is on the list; false: the function leaves} */
    boolean add(DmaBuf buffer) {
        lock.lock();
        try {
            return !closed && live.add(buffer);
        } finally {
            lock.unlock();
        }
    }

    void remove(@Nullable DmaBuf buffer) {
        lock.lock();
        try {
            live.remove(buffer);
        } finally {
            lock.unlock();
        }
    }

    boolean contains(DmaBuf buffer) {
        lock.lock();
        try {
            return live.contains(buffer);
        } finally {
            lock.unlock();
        }
    }

    /** {@return all that are not ending, with a reference each} */
    private List<DmaBuf> held(boolean closing) {
        List<DmaBuf> held = new ArrayList<>();
        lock.lock();
        try {
            closed |= closing;
            for (DmaBuf buffer : live) {
                if (buffer.getUnlessZero()) {
                    held.add(buffer);
                }
            }
        } finally {
            lock.unlock();
        }
        return held;
    }

    /** [memory] Takes access away from all that have it (VF-73). */
    void revoke() {
        for (DmaBuf buffer : held(false)) {
            try {
                if (buffer.revokeState() == RevokeState.OK) {
                    surroundings.dmabufs.revoke(buffer, false);
                }
            } finally {
                buffer.put();
            }
        }
    }

    /** [memory] Gives access back to all that it was taken from for a time (RK-16). */
    void unrevoke() {
        for (DmaBuf buffer : held(false)) {
            try {
                if (buffer.revokeState() == RevokeState.REVOKED) {
                    surroundings.dmabufs.unrevoke(buffer);
                }
            } finally {
                buffer.put();
            }
        }
    }

    /** [memory] The function is closed: all of them are revoked for good, and forgotten (RK-14). */
    void close() {
        for (DmaBuf buffer : held(true)) {
            try {
                surroundings.dmabufs.revoke(buffer, true);
            } finally {
                buffer.put();
            }
        }
        lock.lock();
        try {
            live.clear();
        } finally {
            lock.unlock();
        }
    }

    /** The function leaves: as {@link #close}, but importers have a limit of time. */
    void depart() {
        List<DmaBuf> held = held(true);
        try {
            if (!held.isEmpty()) {
                surroundings.dmabufs.depart(device.toString(), held);
            }
        } finally {
            held.forEach(DmaBuf::put);
        }
    }
}
