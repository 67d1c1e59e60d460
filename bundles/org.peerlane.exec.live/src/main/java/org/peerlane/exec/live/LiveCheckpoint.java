package org.peerlane.exec.live;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints.Armed;

/**
 * A checkpoint.
 *
 * <p><b>Cost.</b> Unarmed: one volatile read of a field that nobody writes, and a branch.
 */
final class LiveCheckpoint implements Checkpoint {
    private final String name;
    private volatile Action @Nullable [] armed; // null: unarmed; an array is never changed
    private volatile boolean askedFor;

    LiveCheckpoint(String name) {
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isActive() {
        return armed != null;
    }

    @Override
    public void reached() {
        Action[] actions = armed;
        if (actions != null) {
            fire(actions);
        }
    }

    private static void fire(Action[] actions) {
        for (Action action : actions) {
            action.hits.incrementAndGet();
            Runnable run = action.run.get();
            if (run != null) {
                run.run();
            }
        }
    }

    Armed arm(Runnable run) {
        Action action = new Action(run);
        change(action, true);
        return action;
    }

    @SuppressWarnings("ReferenceEquality") // the very action
    private synchronized void change(Action action, boolean add) {
        List<Action> now = new ArrayList<>();
        Action[] before = armed;
        if (before != null) {
            for (Action other : before) {
                if (other != action) {
                    now.add(other);
                }
            }
        }
        if (add) {
            now.add(action);
        }
        armed = now.isEmpty() ? null : now.toArray(Action[]::new);
    }

    void askedFor() {
        askedFor = true;
    }

    boolean isAskedFor() {
        return askedFor;
    }

    private final class Action implements Armed {
        private final AtomicReference<@Nullable Runnable> run;
        private final AtomicLong hits = new AtomicLong();

        Action(Runnable run) {
            this.run = new AtomicReference<>(run);
        }

        @Override
        public long hits() {
            return hits.get();
        }

        @Override
        public void close() {
            change(this, false);
            run.set(null); // a thread that has read the array must not keep a departed bundle's
            // class
        }
    }
}
