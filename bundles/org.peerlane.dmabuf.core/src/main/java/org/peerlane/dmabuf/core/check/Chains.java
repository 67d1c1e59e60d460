package org.peerlane.dmabuf.core.check;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;

/**
 * Tells people what a thread waits for, and what that waits for in turn. Guesses too, where it says
 * "whose thread": that thread made the mapping, and is likely to take it back.
 */
final class Chains {
    /** Links after which a chain is long enough. */
    private static final int LIMIT = 12;

    private final WaitGraph graph;

    Chains(WaitGraph graph) {
        this.graph = graph;
    }

    /** {@return one line for each thing that the thread needs; none if it does not wait} */
    List<String> of(Thread thread) {
        Wait wait = graph.of(thread);
        if (wait == null) {
            return List.of();
        }
        List<String> lines = new ArrayList<>();
        String begin = "thread %s waits for ".formatted(thread.getName());
        if (wait.what instanceof Unmaps unmaps) {
            for (Need need : unmaps.needs()) {
                if (need instanceof Need.Likely likely) {
                    StringBuilder line = new StringBuilder(begin).append(likely.what());
                    line.append(", whose ");
                    follow(likely.thread(), line, started(thread));
                    lines.add(line.toString());
                }
            }
        }
        if (lines.isEmpty()) {
            StringBuilder line = new StringBuilder();
            follow(thread, line, new LinkedHashSet<>());
            lines.add(line.toString());
        }
        return lines;
    }

    private static Set<Object> started(Thread thread) {
        Set<Object> seen = new LinkedHashSet<>();
        seen.add(thread);
        return seen;
    }

    private void follow(Thread thread, StringBuilder line, Set<Object> seen) {
        line.append("thread ").append(thread.getName());
        if (!seen.add(thread)) {
            line.append(", which waits for all this");
            return;
        }
        Wait wait = graph.of(thread);
        if (wait == null || seen.size() > LIMIT) {
            line.append(wait == null ? " is not known to wait" : " waits too");
            return;
        }
        line.append(" waits for ");
        if (wait.what instanceof Awaited work) {
            follow(work, line, seen);
        } else {
            line.append(LockClasses.nameOf(wait.what));
            followHolder(wait.what, line, seen);
        }
    }

    private void followHolder(Object lock, StringBuilder line, Set<Object> seen) {
        Thread holder = holder(lock);
        if (holder != null) {
            line.append(", held by ");
            follow(holder, line, seen);
        }
    }

    static @Nullable Thread holder(Object lock) {
        return switch (lock) {
            case HeldLock held -> held.holder();
            case NamedLock named -> named.holder();
            default -> null;
        };
    }

    private void follow(Awaited work, StringBuilder line, Set<Object> seen) {
        line.append(work.forPeople());
        if (!seen.add(work) || seen.size() > LIMIT) {
            return;
        }
        for (Need need : work.needs()) {
            switch (need) {
                case Need.Lock lock -> {
                    line.append(", which needs ").append(LockClasses.nameOf(lock.lock()));
                    followHolder(lock.lock(), line, seen);
                }
                case Need.Work part -> {
                    line.append(", which needs ");
                    follow(part.work(), line, seen);
                }
                case Need.Worker pool -> {
                    line.append(", which a thread of ")
                            .append(pool.pool().name())
                            .append(" has to end");
                    for (Thread member : pool.pool().members()) {
                        line.append(": ");
                        follow(member, line, seen);
                    }
                }
                case Need.Either either ->
                        line.append(", which needs one of ").append(either.works().size());
                case Need.Likely likely -> {
                    line.append(", ").append(likely.what()).append(", whose ");
                    follow(likely.thread(), line, seen);
                }
            }
        }
    }
}
