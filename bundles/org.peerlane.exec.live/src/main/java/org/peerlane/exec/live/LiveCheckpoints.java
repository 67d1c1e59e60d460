package org.peerlane.exec.live;

import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.peerlane.exec.api.Checkpoints;

/**
 * The checkpoints of every bundle. They hold names and armed actions, nothing of who asked.
 *
 * <p><b>Life.</b> Immediate: what is armed must outlive the last bundle that passes it.
 */
@Component(service = LiveCheckpoints.class, immediate = true)
public final class LiveCheckpoints implements Checkpoints {
    private final ConcurrentMap<String, LiveCheckpoint> byName = new ConcurrentHashMap<>();

    /** An empty set. */
    @Activate
    public LiveCheckpoints() {}

    LiveCheckpoint get(String name) {
        LiveCheckpoint checkpoint = byName.computeIfAbsent(name, LiveCheckpoint::new);
        checkpoint.askedFor();
        return checkpoint;
    }

    @Override
    public SortedSet<String> names() {
        SortedSet<String> names = new TreeSet<>();
        byName.forEach((name, checkpoint) -> {
            if (checkpoint.isAskedFor()) {
                names.add(name);
            }
        });
        return names;
    }

    @Override
    public Armed arm(String name, Runnable action) {
        return byName.computeIfAbsent(name, LiveCheckpoint::new).arm(action);
    }
}
