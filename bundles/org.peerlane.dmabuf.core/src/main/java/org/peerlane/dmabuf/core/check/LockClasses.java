package org.peerlane.dmabuf.core.check;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Violation.Severity;

/**
 * In which order classes of locks are taken (CK-25). Kernel counterpart: lockdep.
 *
 * <p>A class is all locks of one name; all reservations are one, the mmap locks are one, and <em>a
 * fence</em> counts as a class too: who waits for one takes it, and who is on the way to signal one
 * holds it. So a lock that is held around a wait here and taken on the way to a signal there is
 * found though both never met (CK-33). Order within one class is not looked at.
 *
 * <p>An edge of the graph says that the second was taken, not merely tried, with the first held;
 * who did it first is remembered. An edge that closes a circle is reported, once per pair, and not
 * kept, so that one mistake is one report.
 *
 * <p><b>Bounds.</b> {@value #LIMIT} classes; what comes later is not looked at. <b>Threads.</b>
 * Any, without a lock: of two edges that close a circle at the same time, each is put in before it
 * looks for the other.
 */
@SuppressWarnings("ReferenceEquality") // the very lock, class, wait
final class LockClasses {
    /** How many are kept. */
    static final int LIMIT = 512;

    static final String RESERVATION = "a reservation";
    static final String MMAP = "the mmap lock";
    static final String FENCE = "a fence";

    /** What was done first. */
    record Edge(LockClass before, LockClass after, String sentence) {}

    /** One class. Equal only to itself. */
    static final class LockClass {
        final String name;

        /** What was taken with it held. */
        final Map<LockClass, Edge> after = new ConcurrentHashMap<>();

        LockClass(String name) {
            this.name = name;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private final Violations violations;
    private final ConcurrentHashMap<String, LockClass> classes = new ConcurrentHashMap<>();
    private final Set<Set<LockClass>> reported = ConcurrentHashMap.newKeySet();

    LockClasses(Violations violations) {
        this.violations = violations;
    }

    /** {@return the class of a name, or null: there are too many} */
    @Nullable LockClass of(String name) {
        LockClass found = classes.get(name);
        if (found != null) {
            return found;
        }
        return classes.size() >= LIMIT ? null : classes.computeIfAbsent(name, LockClass::new);
    }

    int size() {
        return classes.size();
    }

    /** This thread takes a lock of a class with others held. */
    void taking(HeldLocks held, LockClass kind, String name) {
        for (int i = 0; i < held.size(); i++) {
            LockClass before = held.kind(i);
            if (before != kind
                    && !before.after.containsKey(kind)
                    && !isToldElsewhere(before, kind)) {
                add(held.lock(i), before, kind, name);
            }
        }
    }

    /** {@return whether a rule of its own sees these two} */
    private static boolean isToldElsewhere(LockClass before, LockClass after) {
        return isOne(before, RESERVATION)
                        && (isOne(after, MMAP) || isOne(after, FENCE)) // the latter is right
                || isOne(after, RESERVATION) && (isOne(before, MMAP) || isOne(before, FENCE));
    }

    private static boolean isOne(LockClass kind, String name) {
        return kind.name.equals(name);
    }

    private void add(Object held, LockClass before, LockClass kind, String name) {
        if (reported.contains(Set.of(before, kind))) {
            return;
        }
        String sentence =
                "thread %s %s at %s"
                        .formatted(
                                Thread.currentThread().getName(),
                                order(before, nameOf(held), kind, name),
                                Places.here());
        before.after.put(kind, new Edge(before, kind, sentence));
        List<Edge> back = path(kind, before);
        if (!back.isEmpty() && reported.add(Set.of(before, kind))) {
            report(sentence, back, before, kind);
        }
        if (!back.isEmpty()) {
            before.after.remove(kind);
        }
    }

    private static String order(LockClass before, String held, LockClass after, String taken) {
        if (isOne(before, FENCE)) {
            return "takes %s on the way to signal fences".formatted(taken);
        }
        return isOne(after, FENCE)
                ? "waits for %s with %s held".formatted(taken, held)
                : "takes %s with %s held".formatted(taken, held);
    }

    static String nameOf(Object lock) {
        return lock instanceof HeldLock held ? held.name() : lock.toString();
    }

    private void report(String sentence, List<Edge> back, LockClass before, LockClass after) {
        List<String> others = new ArrayList<>();
        boolean fence = isOne(before, FENCE) || isOne(after, FENCE);
        for (Edge edge : back) {
            others.add(edge.sentence());
            fence |= isOne(edge.after(), FENCE);
        }
        violations.report(
                fence ? "CK-33" : "CK-25",
                Severity.FATAL,
                Places.owner(Thread.currentThread()),
                0,
                0,
                0,
                "%s; before that, %s: both at once wait for each other"
                        .formatted(sentence, String.join(", and ", others)));
    }

    /** {@return the edges from one to the other, fewest first; empty if there is no way} */
    private static List<Edge> path(LockClass from, LockClass to) {
        Map<LockClass, Edge> reached = new HashMap<>();
        Deque<LockClass> next = new ArrayDeque<>();
        next.add(from);
        while (!next.isEmpty()) {
            LockClass at = next.remove();
            for (Edge edge : at.after.values()) {
                if (edge.after() != from && reached.putIfAbsent(edge.after(), edge) == null) {
                    next.add(edge.after());
                }
            }
        }
        Deque<Edge> path = new ArrayDeque<>();
        for (Edge edge = reached.get(to); edge != null; edge = reached.get(edge.before())) {
            path.addFirst(edge);
        }
        return List.copyOf(path);
    }
}
