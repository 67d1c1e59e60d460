package org.peerlane.exec.sim;

import java.util.List;
import java.util.stream.Stream;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints.Armed;

/** A switch point by name. Armed actions run first, then the scheduler decides who goes on. */
final class SimCheckpoint implements Checkpoint {
    private final Scheduler scheduler;
    private final String name;
    private List<Action> armed = List.of(); // replaced, never changed: an action may disarm itself
    boolean askedFor;

    SimCheckpoint(Scheduler scheduler, String name) {
        this.scheduler = scheduler;
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void reached() {
        for (Action action : armed) {
            action.hits++;
            action.run.run();
        }
        scheduler.point("at", name);
    }

    Armed arm(Runnable run) {
        Action action = new Action(run);
        armed = plus(action);
        return action;
    }

    private List<Action> plus(Action action) {
        return Stream.concat(armed.stream(), Stream.of(action)).toList();
    }

    private final class Action implements Armed {
        private final Runnable run;
        private long hits;

        Action(Runnable run) {
            this.run = run;
        }

        @Override
        public long hits() {
            return hits;
        }

        @Override
        public void close() {
            armed = armed.stream().filter(other -> other != this).toList();
        }
    }
}
