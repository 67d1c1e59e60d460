package org.peerlane.dmabuf.core.check;

import java.util.ArrayDeque;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/**
 * What was seen of broken rules: the latest of them, a count, a trace event and a line in the log
 * for each.
 *
 * <p><b>Locks.</b> One leaf lock around the list. <b>Threads.</b> Any, atomic context included.
 */
public final class Violations {
    /** How many are kept. */
    public static final int KEPT = 1000;

    private static final Logger LOG = LogManager.getLogger(Violations.class);

    private final Tracepoint<Violation> trace;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final ArrayDeque<Violation> latest = new ArrayDeque<>();

    /** Guarded by lock. */
    private long count;

    /** None yet. */
    public Violations(Execution execution, Tracer tracer) {
        trace = tracer.point(Violation.class);
        lock = execution.lock("dmabuf.violations");
    }

    /**
     * Reports one.
     *
     * @param rule its id, such as {@code CK-16}
     * @param owner the bundle whose code did it
     * @param buffer the buffer's id, or 0
     * @param attachment the attachment's id, or 0
     * @param mapping the mapping's id, or 0
     * @param sentence what was done, and what is right
     */
    public void report(
            String rule,
            Severity severity,
            String owner,
            long buffer,
            long attachment,
            long mapping,
            String sentence) {
        Violation violation =
                new Violation(
                        rule,
                        severity,
                        owner,
                        buffer,
                        attachment,
                        mapping,
                        Thread.currentThread().getName(),
                        sentence);
        lock.lock();
        try {
            if (latest.size() == KEPT) {
                latest.removeFirst();
            }
            latest.addLast(violation);
            count++;
        } finally {
            lock.unlock();
        }
        LOG.warn("{} [{}] {}: {}", rule, severity, owner, sentence);
        if (trace.isOn()) {
            trace.emit(violation);
        }
    }

    /** {@return the latest, oldest first} */
    public List<Violation> latest() {
        lock.lock();
        try {
            return List.copyOf(latest);
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many there were} */
    public long count() {
        lock.lock();
        try {
            return count;
        } finally {
            lock.unlock();
        }
    }
}
