package org.peerlane.exec.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;

/** The checkpoints of a simulation: each is a switch point, and then runs what is armed there. */
final class SimCheckpoints implements Checkpoints {
    private final Simulation sim;
    private final Map<String, Point> points = new TreeMap<>();

    SimCheckpoints(Simulation sim) {
        this.sim = sim;
    }

    Point of(String name) {
        return points.computeIfAbsent(name, n -> new Point(sim, n));
    }

    @Override
    public SortedSet<String> names() {
        return new TreeSet<>(points.keySet());
    }

    @Override
    public Armed arm(String name, Runnable action) {
        Point point = of(name);
        var trap = new Trap(point, action);
        point.traps.add(trap);
        return trap;
    }

    /** One checkpoint. */
    static final class Point implements Checkpoint {
        private final Simulation sim;
        private final String name;
        private final List<Trap> traps = new ArrayList<>(0);

        Point(Simulation sim, String name) {
            this.sim = sim;
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void reached() {
            sim.switchPoint("", name);
            if (!traps.isEmpty()) {
                for (Trap trap : List.copyOf(traps)) {
                    trap.hit();
                }
            }
        }
    }

    /** An action armed at a checkpoint. */
    private static final class Trap implements Armed {
        private final Point point;
        private final Runnable action;
        private long hits;

        Trap(Point point, Runnable action) {
            this.point = point;
            this.action = action;
        }

        void hit() {
            hits++;
            action.run();
        }

        @Override
        public long hits() {
            return hits;
        }

        @Override
        public void close() {
            point.traps.remove(this);
        }
    }
}
