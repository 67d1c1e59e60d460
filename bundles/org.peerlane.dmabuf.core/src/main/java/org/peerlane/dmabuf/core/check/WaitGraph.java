package org.peerlane.dmabuf.core.check;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.exec.api.NamedLock;

/**
 * Who waits for whom, through locks, fences and unmaps.
 *
 * <p>A thread is in it while it waits. From there an edge leads to the thread that holds what it
 * waits for, or to what a fence is known to {@linkplain Need need}. A thread that waits in a circle
 * is reported, with all its links.
 *
 * <p><b>No false alarm.</b> A search reads while others run, so a circle counts only if a second
 * search finds the same waits: each of those threads was in its wait all the time between, and so
 * gave nothing back. A transaction that is about to give way does not count as waiting.
 *
 * <p><b>Threads.</b> Any, without a lock. Of the waits that make a circle, each is put in before it
 * searches, so the last finds all.
 */
@SuppressWarnings("ReferenceEquality") // the very lock, class, wait
final class WaitGraph {
    private final Violations violations;
    private final Map<Thread, Wait> waits = new ConcurrentHashMap<>();

    WaitGraph(Violations violations) {
        this.violations = violations;
    }

    void begin(Wait wait) {
        waits.put(wait.thread, wait);
        search(wait, false);
    }

    void end(Wait wait) {
        Wait outer = wait.outer;
        if (outer == null) {
            waits.remove(wait.thread);
        } else {
            waits.put(wait.thread, outer);
        }
    }

    boolean isEmpty() {
        return waits.isEmpty();
    }

    /** {@return what a thread waits for, or null} */
    @Nullable Wait of(Thread thread) {
        return waits.get(thread);
    }

    /** Searches from every thread that waits, for what has come to be known since it began. */
    void searchAll() {
        waits.values().forEach(wait -> search(wait, false));
    }

    /** Searches from the wait of a thread, guesses included: it has been too long. */
    void searchLikely(Thread thread) {
        Wait wait = waits.get(thread);
        if (wait != null) {
            search(wait, true);
        }
    }

    private void search(Wait wait, boolean guessing) {
        if (wait.what instanceof Awaited work) {
            pollerGone(wait, work);
        }
        Search first = new Search(wait, guessing);
        if (!first.found()) {
            return;
        }
        Search second = new Search(wait, guessing);
        if (second.found() && first.members.equals(second.members)) {
            for (Wait member : second.members) {
                if (member.reported.get()) {
                    return;
                }
            }
            Wait decides =
                    Collections.min(
                            second.members,
                            Comparator.comparingLong(member -> member.thread.threadId()));
            if (decides.reported.compareAndSet(false, true)) {
                second.members.forEach(member -> member.reported.set(true));
                second.report();
            }
        }
    }

    /** A pool that signals what is waited for has nobody in it (CK-68). */
    private void pollerGone(Wait wait, Awaited work) {
        for (Need need : work.needs()) {
            if (need instanceof Need.Worker worker
                    && worker.pool().members().isEmpty()
                    && wait.reported.compareAndSet(false, true)) {
                violations.report(
                        "CK-68",
                        Severity.FATAL,
                        work.owner(),
                        0,
                        0,
                        0,
                        "thread %s waits for %s, which only a thread of %s ends, and there is none; a poller must not be the only way to drain"
                                .formatted(
                                        wait.thread.getName(),
                                        work.describe(),
                                        worker.pool().name()));
            }
        }
    }

    /** One search for a circle through a wait. */
    private final class Search {
        private final Wait start;
        private final Set<Wait> members = new LinkedHashSet<>();
        private final boolean guessing;

        /**
         * Works that were looked at, and whether nothing ends them; yes while that is looked for.
         */
        private final Map<Awaited, Boolean> stuck = new HashMap<>();

        private final List<String> links = new ArrayList<>();
        private @Nullable Awaited fence;
        private @Nullable Awaited unmaps;
        private @Nullable Thread plainHolder; // of what a transaction wants
        private @Nullable Thread worker; // of a pool, that waits for a fence
        private long buffer;

        Search(Wait start, boolean guessing) {
            this.start = start;
            this.guessing = guessing;
        }

        boolean found() {
            return leads(start);
        }

        private boolean leads(Wait wait) {
            if (!members.add(wait)) {
                return false;
            }
            int links = this.links.size();
            if (leadsOn(wait)) {
                return true;
            }
            members.remove(wait);
            cut(links);
            return false;
        }

        private boolean leadsOn(Wait wait) {
            Object transaction = wait.transaction;
            if (wait.what instanceof Awaited work) {
                say("thread %s waits for %s".formatted(wait.thread.getName(), work.describe()));
                return leads(work);
            }
            if (transaction != null
                    && wait.mayGiveWay
                    && wait.what instanceof HeldLock lock
                    && lock.givesWay(transaction)) {
                return false;
            }
            say(
                    "thread %s waits for %s%s"
                            .formatted(
                                    wait.thread.getName(),
                                    LockClasses.nameOf(wait.what),
                                    transaction == null ? "" : " in a transaction"));
            return leadsToHolder(wait.what, transaction != null, wait.thread);
        }

        private boolean leads(Awaited work) {
            Boolean known = stuck.putIfAbsent(work, true);
            if (known != null) {
                return known;
            }
            boolean found = !work.isOver() && isStuck(work);
            stuck.put(work, found);
            return found;
        }

        private boolean isStuck(Awaited work) {
            for (Need need : work.needs()) {
                int links = this.links.size();
                if (leads(need)) {
                    if (work instanceof Unmaps) {
                        unmaps = work;
                    } else {
                        fence = work;
                    }
                    return true;
                }
                cut(links);
            }
            return false;
        }

        private boolean leads(Need need) {
            return switch (need) {
                case Need.Lock lock -> {
                    say(
                            "which needs %s%s"
                                    .formatted(
                                            LockClasses.nameOf(lock.lock()),
                                            lock.transaction() ? " in a transaction" : ""));
                    yield leadsToHolder(lock.lock(), lock.transaction(), null);
                }
                case Need.Work part -> {
                    say("which needs %s".formatted(part.work().describe()));
                    yield leads(part.work());
                }
                case Need.Worker pool -> leadsToAll(pool.pool());
                case Need.Either either -> leadsToAll(either.works());
                case Need.Likely likely -> {
                    say("%s, whose thread %s".formatted(likely.what(), likely.thread().getName()));
                    yield guessing && leadsToThread(likely.thread());
                }
            };
        }

        private boolean leadsToAll(List<Awaited> works) {
            for (Awaited work : works) {
                say("which needs one of several, of them %s".formatted(work.describe()));
                if (!leads(work)) {
                    return false;
                }
            }
            return !works.isEmpty();
        }

        private boolean leadsToAll(WorkerPool pool) {
            List<Thread> all = pool.members();
            for (Thread thread : all) {
                say("which a thread of %s has to end".formatted(pool.name()));
                if (!leadsToThread(thread)) {
                    return false;
                }
                Wait wait = waits.get(thread);
                if (wait != null && wait.what instanceof Awaited) {
                    worker = thread;
                }
            }
            return !all.isEmpty();
        }

        private boolean leadsToHolder(Object lock, boolean transaction, @Nullable Thread waiter) {
            HeldLock held = lock instanceof HeldLock it ? it : null;
            Thread holder =
                    held != null
                            ? held.holder()
                            : lock instanceof NamedLock named ? named.holder() : null;
            if (holder == null || holder.equals(waiter)) { // free, or granted a moment ago
                return false;
            }
            boolean plain = transaction && held != null && !held.isHeldInTransaction();
            say(
                    "which thread %s holds%s"
                            .formatted(holder.getName(), plain ? " without a transaction" : ""));
            if (!leadsToThread(holder)) {
                return false;
            }
            if (plain) {
                plainHolder = holder;
            }
            if (held != null && held.buffer() != 0) {
                buffer = held.buffer();
            }
            return true;
        }

        private boolean leadsToThread(Thread thread) {
            if (thread.equals(start.thread)) {
                return waits.get(thread) == start;
            }
            Wait wait = waits.get(thread);
            if (wait == null) {
                return false;
            }
            return members.contains(wait) || leads(wait);
        }

        private void say(String link) {
            links.add(link);
        }

        private void cut(int to) {
            while (links.size() > to) {
                links.removeLast();
            }
        }

        void report() {
            violations.report(
                    rule(),
                    guessing ? Severity.WRONG : Severity.FATAL,
                    blamed(),
                    buffer,
                    0,
                    0,
                    String.join(", ", links) + ": nobody of them can go on");
        }

        private String rule() {
            if (unmaps != null) {
                return "CK-26";
            }
            if (fence == null) {
                return "CK-25";
            }
            if (plainHolder != null) {
                return "CK-18";
            }
            return worker != null ? "CK-34" : "CK-33";
        }

        private String blamed() {
            Awaited late = fence;
            Thread holder = plainHolder;
            Thread busy = worker;
            if (unmaps == null && holder != null) {
                return Places.owner(holder);
            }
            if (unmaps == null && busy != null) {
                return Places.owner(busy);
            }
            return unmaps == null && late != null ? late.owner() : Places.owner(start.thread);
        }
    }
}
