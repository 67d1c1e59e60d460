package org.peerlane.exec.live;

import java.util.Set;
import java.util.SortedSet;
import java.util.concurrent.ConcurrentHashMap;
import org.peerlane.exec.api.Checkpoints;

/** One execution's view of the shared checkpoints: remembers what it armed, to disarm it. */
final class ArmedHere implements Checkpoints {
    private final LiveCheckpoints shared;
    private final Set<Here> armed = ConcurrentHashMap.newKeySet();

    ArmedHere(LiveCheckpoints shared) {
        this.shared = shared;
    }

    LiveCheckpoints shared() {
        return shared;
    }

    @Override
    public SortedSet<String> names() {
        return shared.names();
    }

    @Override
    public Armed arm(String name, Runnable action) {
        Here here = new Here(shared.arm(name, action));
        armed.add(here);
        return here;
    }

    void disarmAll() {
        armed.forEach(Here::close);
    }

    private final class Here implements Armed {
        private final Armed action;

        Here(Armed action) {
            this.action = action;
        }

        @Override
        public long hits() {
            return action.hits();
        }

        @Override
        public void close() {
            action.close();
            armed.remove(this);
        }
    }
}
