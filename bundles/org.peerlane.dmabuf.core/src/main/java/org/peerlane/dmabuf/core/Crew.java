package org.peerlane.dmabuf.core;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;

/**
 * Does what may never end: calls of plugins that are leaving or late, and waits for locks that they
 * hold. One thread does it all, one thing after the other; when it gets stuck, another goes on with
 * the rest. Whoever is stuck finishes by itself, whenever that is.
 *
 * <p><b>Life.</b> One departure. <b>Threads.</b> {@link #run} one; it does not wait past its
 * deadline.
 */
final class Crew {
    /** One thing to do. */
    static final class Task {
        final String what;
        private final Runnable body;

        /** Guarded by the crew's lock. */
        private boolean ended;

        /**
         * @param what for reports, such as {@code tell the importers of system#3}
         */
        Task(String what, Runnable body) {
            this.what = what;
            this.body = body;
        }
    }

    private final Execution execution;
    private final String name;

    /** How long one task may take before the others are done without its thread. */
    private final long patienceNanos;

    private final NamedLock lock;
    private final Condition changed;

    /** Guarded by lock, as all below. */
    private final Deque<Task> waiting = new ArrayDeque<>();

    private int workers;

    /** Tasks that have ended since the crew was made. */
    private long ended;

    /**
     * @param name for its threads
     */
    Crew(Execution execution, String name, long patienceNanos) {
        this.execution = execution;
        this.name = name;
        this.patienceNanos = patienceNanos;
        lock = execution.lock("dmabuf.departure");
        changed = lock.newCondition("task-ended");
    }

    /**
     * Does them, in order.
     *
     * @param deadline when to return at the latest, by the execution's clock
     * @return what has not ended; it goes on
     */
    List<Task> run(Collection<Task> tasks, long deadline) {
        if (tasks.isEmpty()) {
            return List.of();
        }
        boolean interrupted = false;
        lock.lock();
        try {
            waiting.addAll(tasks);
            hire();
            long goal = ended + tasks.size(); // late ones of an earlier call may help to reach it
            while (ended < goal || tasks.stream().anyMatch(task -> !task.ended)) {
                long before = ended;
                long left = deadline - execution.nanoTime();
                if (left <= 0) {
                    break;
                }
                try {
                    changed.awaitNanos(Math.min(left, patienceNanos));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
                if (ended == before && !waiting.isEmpty()) {
                    hire();
                }
            }
            return tasks.stream().filter(task -> !task.ended).toList();
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void hire() {
        workers++;
        execution.start(ThreadKind.BLOCKING, name + "." + workers, this::work);
    }

    private void work() {
        lock.lock();
        try {
            for (Task task = waiting.poll(); task != null; task = waiting.poll()) {
                lock.unlock();
                try {
                    task.body.run();
                } finally {
                    lock.lock();
                    task.ended = true;
                    ended++;
                    changed.signalAll();
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
