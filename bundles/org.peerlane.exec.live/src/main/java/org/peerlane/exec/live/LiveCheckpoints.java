package org.peerlane.exec.live;

import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.NamedLock;

/**
 * The checkpoints of a machine. Passing one that nothing is armed at reads one field.
 *
 * <p><b>Locks.</b> One, around arming and disarming.
 */
final class LiveCheckpoints implements Checkpoints {
    private final ConcurrentHashMap<String, Point> points = new ConcurrentHashMap<>();

    /** Guards every {@link Point#traps} against a second writer. */
    private final ArmingLock arming = new ArmingLock();

    Point of(String name) {
        return points.computeIfAbsent(name, Point::new);
    }

    @Override
    public SortedSet<String> names() {
        return new TreeSet<>(points.keySet());
    }

    @Override
    public Armed arm(String name, Runnable action) {
        Point point = of(name);
        var trap = new Trap(point, action);
        arming.lock();
        try {
            Trap[] before = point.traps;
            point.traps =
                    before == null
                            ? new Trap[] {trap}
                            : Stream.concat(Stream.of(before), Stream.of(trap))
                                    .toArray(Trap[]::new);
        } finally {
            arming.unlock();
        }
        return trap;
    }

    private void disarm(Trap trap) {
        arming.lock();
        try {
            Trap[] before = trap.point.traps;
            if (before != null) {
                Trap[] after = Stream.of(before).filter(t -> t != trap).toArray(Trap[]::new);
                trap.point.traps = after.length == 0 ? null : after;
            }
        } finally {
            arming.unlock();
        }
    }

    /** One checkpoint. */
    static final class Point implements Checkpoint {
        private final String name;

        /** Null: nothing is armed here. */
        private volatile Trap @Nullable [] traps;

        Point(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void reached() {
            Trap[] armed = traps;
            if (armed != null) {
                hit(armed);
            }
        }

        private static void hit(Trap[] armed) {
            for (Trap trap : armed) {
                trap.hits.increment();
                trap.action.run();
            }
        }
    }

    private final class Trap implements Armed {
        private final Point point;
        private final Runnable action;
        private final LongAdder hits = new LongAdder();

        Trap(Point point, Runnable action) {
            this.point = point;
            this.action = action;
        }

        @Override
        public long hits() {
            return hits.sum();
        }

        @Override
        public void close() {
            disarm(this);
        }
    }

    private static final class ArmingLock extends NamedLock {
        @java.io.Serial private static final long serialVersionUID = 1;

        ArmingLock() {
            super("exec.checkpoints");
        }
    }
}
