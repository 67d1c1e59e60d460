package org.peerlane.exec.sim;

import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.peerlane.exec.api.Checkpoints;

/** The checkpoints of one schedule. */
final class SimCheckpoints implements Checkpoints {
    private final Scheduler scheduler;
    private final TreeMap<String, SimCheckpoint> byName = new TreeMap<>();

    SimCheckpoints(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    SimCheckpoint get(String name) {
        SimCheckpoint found = byName.get(name);
        if (found == null) {
            found = new SimCheckpoint(scheduler, name);
            byName.put(name, found);
        }
        return found;
    }

    @Override
    public SortedSet<String> names() {
        SortedSet<String> names = new TreeSet<>();
        byName.forEach((name, checkpoint) -> {
            if (checkpoint.askedFor) {
                names.add(name);
            }
        });
        return names;
    }

    @Override
    public Armed arm(String name, Runnable action) {
        return get(name).arm(action);
    }
}
