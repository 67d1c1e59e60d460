package org.peerlane.exec.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Says who waits for what, one line a thread, and names a cycle if there is one. */
final class WaitReport {
    private static final Set<String> OURS =
            Stream.of(
                            Scheduler.class,
                            SimThread.class,
                            SimLock.class,
                            SimCondition.class,
                            SimExecution.class,
                            SimCheckpoint.class)
                    .map(Class::getName)
                    .collect(Collectors.toUnmodifiableSet());

    private WaitReport() {}

    static String of(List<SimThread> threads) {
        StringBuilder text = new StringBuilder("deadlock: every thread is blocked for ever\n");
        for (SimThread thread : threads) {
            if (thread.waitsFor != OtherWait.TIMERS) {
                text.append("  ").append(thread.name()).append(" waits for ");
                text.append(what(thread)).append(place(thread)).append('\n');
            }
        }
        for (SimThread thread : threads) {
            List<SimThread> cycle = cycleFrom(thread);
            if (!cycle.isEmpty()) {
                text.append("  cycle: ");
                cycle.forEach(member -> text.append(member.name()).append(" -> "));
                text.append(cycle.getFirst().name()).append('\n');
                break;
            }
        }
        return text.toString();
    }

    private static String what(SimThread thread) {
        return switch (thread.waitsFor) {
            case SimLock lock -> "lock " + lock + owner(lock);
            case SimCondition c -> "condition " + c + " (lock " + c.lock() + owner(c.lock()) + ")";
            case SimThread target -> "thread " + target.name() + " to end";
            case null, default -> thread.waitsFor + ", " + thread.thread.getState();
        };
    }

    private static String owner(SimLock lock) {
        SimThread owner = lock.owner();
        return owner == null ? ", free" : ", owned by " + owner.name();
    }

    /** {@return where it stands: the first frame that is neither ours nor the JDK's} */
    static String place(SimThread thread) {
        for (StackTraceElement frame : thread.thread.getStackTrace()) {
            String type = frame.getClassName();
            if (!type.startsWith("java.")
                    && !type.startsWith("jdk.")
                    && !OURS.contains(type)
                    && !type.startsWith("org.peerlane.exec.api.")) {
                return " at " + frame;
            }
        }
        return "";
    }

    private static List<SimThread> cycleFrom(SimThread start) {
        List<SimThread> path = new ArrayList<>();
        SimThread at = start;
        while (at != null && !path.contains(at)) {
            path.add(at);
            at = blocker(at);
        }
        return at == start ? path : List.of();
    }

    private static @Nullable SimThread blocker(SimThread thread) {
        return switch (thread.waitsFor) {
            case SimLock lock -> lock.owner();
            case SimThread target -> target;
            case null, default -> null;
        };
    }
}
