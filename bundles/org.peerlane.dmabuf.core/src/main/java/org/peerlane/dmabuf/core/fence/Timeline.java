package org.peerlane.dmabuf.core.fence;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.check.Need;
import org.peerlane.exec.api.NamedLock;

/**
 * What is known of one context while checks are on: its last seqnos, and who signals it.
 *
 * <p><b>Locks.</b> One leaf lock. <b>Threads.</b> Any. <b>Source.</b> FE-1, FE-49, RV-13.
 */
final class Timeline {
    private static final long NOBODY = -1;

    /** As many are learned. */
    private static final int NEEDS = 16;

    private final Checks checks;
    private final String owner;
    private final long context;
    private final NamedLock lock;

    /** Guarded by lock, as all below. */
    private boolean begun;

    private long made;
    private boolean ended;
    private long signaled;

    /** The thread that has signaled one of its fences on an annotated path, or {@link #NOBODY}. */
    private volatile long signaller = NOBODY;

    /** What its fences need: declared, and seen on annotated paths. */
    private final CopyOnWriteArrayList<Need> needs = new CopyOnWriteArrayList<>();

    /** Whether somebody has declared one of them. */
    private volatile boolean declared;

    Timeline(FenceEnvironment environment, String owner, long context) {
        checks = environment.checks;
        this.owner = owner;
        this.context = context;
        lock = environment.execution.lock("dmabuf.fence.timeline");
    }

    long context() {
        return context;
    }

    /** A fence comes onto it. */
    void made(long seqno, boolean wide) {
        long before;
        lock.lock();
        try {
            before = made;
            boolean fine = !begun || isLater(seqno, before, wide);
            begun = true;
            if (fine) {
                made = seqno;
                return;
            }
        } finally {
            lock.unlock();
        }
        report(
                "a fence of seqno %s was made on timeline %d after %s; seqnos only go up"
                        .formatted(
                                Long.toUnsignedString(seqno),
                                context,
                                Long.toUnsignedString(before)));
    }

    /** A fence of it signals. */
    void signaled(long seqno, boolean wide) {
        if (checks.isSignalling()) {
            signaller = Thread.currentThread().threadId();
            for (Object lock : checks.lockedOnTheWay()) {
                learn(new Need.Lock(lock, false));
            }
        }
        long before;
        lock.lock();
        try {
            before = signaled;
            boolean fine = !ended || isLater(seqno, before, wide);
            ended = true;
            if (fine) {
                signaled = seqno;
                return;
            }
        } finally {
            lock.unlock();
        }
        report(
                ("seqno %s of timeline %d signaled after %s: one timeline ends in order; activities"
                                + " that do not wait for each other need one each")
                        .formatted(
                                Long.toUnsignedString(seqno),
                                context,
                                Long.toUnsignedString(before)));
    }

    private void learn(Need need) {
        if (needs.size() < NEEDS) {
            needs.addIfAbsent(need);
        }
    }

    /** Its issuer says what has to come before a fence of it ends. */
    void declare(Need need) {
        declared = true;
        needs.addIfAbsent(need);
    }

    boolean isDeclared() {
        return declared;
    }

    List<Need> needs() {
        return needs;
    }

    /** {@return whether it is this thread that signals its fences} */
    boolean isSignaller() {
        return signaller == Thread.currentThread().threadId();
    }

    private void report(String sentence) {
        checks.violations().report("FE-1", Severity.WRONG, owner, 0, 0, 0, sentence);
    }

    /** {@return whether {@code a} comes after {@code b} (FE-2)} */
    static boolean isLater(long a, long b, boolean wide) {
        return wide ? Long.compareUnsigned(a, b) > 0 : (int) a - (int) b > 0;
    }
}
