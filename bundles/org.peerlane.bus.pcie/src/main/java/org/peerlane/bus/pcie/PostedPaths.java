package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.exec.api.NamedLock;

/**
 * The paths that one function's posted writes take, if the machine queues them: one to the root
 * complex and one to each peer that is reached directly.
 *
 * <p><b>Locks.</b> A leaf, by posting.
 */
final class PostedPaths {
    private final Fabric fabric;
    private final PostedPath.Arrival arrival;
    private final NamedLock lock;

    /** By peer; null: the root complex. Guarded by lock, as all below. */
    private final Map<@Nullable Endpoint, PostedPath> paths = new LinkedHashMap<>();

    private String name = "?";
    private boolean closed;

    PostedPaths(Fabric fabric, PostedPath.Arrival arrival) {
        this.fabric = fabric;
        this.arrival = arrival;
        lock = fabric.execution.lock("bus.posted-paths");
    }

    /** Says whose paths they are, for the names of threads. */
    void name(String slot) {
        name = slot;
    }

    void post(
            @Nullable Endpoint peer,
            long life,
            long address,
            int attributes,
            @Nullable DmaObserver observer,
            long token,
            MemorySegment from,
            long offset,
            long bytes) {
        PostedPath path;
        lock.lock();
        try {
            if (closed) {
                return;
            }
            path = paths.get(peer);
            if (path == null) {
                String to = peer == null ? "root" : peer.slot();
                boolean direct = peer != null;
                path =
                        new PostedPath(
                                fabric.execution,
                                name + ".to-" + to,
                                (life1, at, attr, who, its, data, off, n) -> {
                                    (direct ? fabric.peerPath : fabric.rootPath).reached();
                                    arrival.arrive(life1, at, attr, who, its, data, off, n);
                                });
                paths.put(peer, path);
            }
        } finally {
            lock.unlock();
        }
        path.post(life, address, attributes, observer, token, from, offset, bytes);
    }

    /** Waits for the writes of one path: a read never passes them. */
    void flush(@Nullable Endpoint peer) {
        PostedPath path;
        lock.lock();
        try {
            path = paths.get(peer);
        } finally {
            lock.unlock();
        }
        if (path != null) {
            path.flush();
        }
    }

    /** A peer has left: what is on the way to it finds nobody, and the path ends. */
    void forget(Endpoint peer) {
        PostedPath path;
        lock.lock();
        try {
            path = paths.remove(peer);
        } finally {
            lock.unlock();
        }
        if (path != null) {
            path.finish();
        }
    }

    void flushAll() {
        all().forEach(PostedPath::flush);
    }

    /** Drops what is queued and ends the threads. */
    void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        all().forEach(PostedPath::close);
    }

    private List<PostedPath> all() {
        lock.lock();
        try {
            return new ArrayList<>(paths.values());
        } finally {
            lock.unlock();
        }
    }
}
