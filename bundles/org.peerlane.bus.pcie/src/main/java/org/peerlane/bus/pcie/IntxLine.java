package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.exec.api.NamedLock;

/**
 * One of the four interrupt lines of a root port or a host bridge: asserted while any function
 * asserts it, shared by the handlers of all (PC-78). While it is asserted its handlers run again
 * and again.
 *
 * <p><b>Nobody cared.</b> After {@link #MOST_UNHANDLED} runs in a row in which no function has
 * deasserted it, the line is switched off until its last handler leaves. Kernel counterpart: {@code
 * note_interrupt()}.
 *
 * <p><b>Locks.</b> {@code bus.intx}, a leaf but for {@code bus.interrupts}; no handler is called
 * with it.
 */
final class IntxLine {
    /** Runs of the handlers that may be in vain. */
    static final int MOST_UNHANDLED = 100_000;

    private static final Logger LOG = LogManager.getLogger(IntxLine.class);

    private final String name;
    private final InterruptController controller;
    private final NamedLock lock;

    /** One object, so that the controller knows it again. */
    private final Runnable all = this::run;

    /** Guarded by lock, as all below. */
    private final Set<Endpoint> asserting = new LinkedHashSet<>();

    private final List<Handler> handlers = new ArrayList<>();

    /** How often a function has deasserted it. */
    private long deasserted;

    private long seen;
    private int unhandled;
    private boolean off;

    /** The controller's; -1 while it has no handler. */
    private int interrupt = -1;

    IntxLine(String name, Fabric fabric) {
        this.name = name;
        controller = fabric.interrupts;
        lock = fabric.execution.lock("bus.intx");
    }

    /** An Assert or a Deassert message has come up. With the function's lock. */
    void message(Endpoint from, boolean asserts) {
        lock.lock();
        try {
            if (asserts) {
                asserting.add(from);
            } else if (asserting.remove(from)) {
                deasserted++;
            }
            interruptIfAsserted();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether any function asserts it} */
    boolean isAsserted() {
        lock.lock();
        try {
            return !asserting.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether it has been switched off because nobody cared} */
    boolean isOff() {
        lock.lock();
        try {
            return off;
        } finally {
            lock.unlock();
        }
    }

    private void interruptIfAsserted() {
        assert lock.isHeldByCurrentThread();
        if (!asserting.isEmpty() && !off && interrupt >= 0) {
            controller.deliver(
                    InterruptController.address(interrupt), InterruptController.data(interrupt));
        }
    }

    /**
     * Adds a handler to those that share the line.
     *
     * @return takes it back; when it returns, the handler does not run, unless it is the caller
     */
    Handler handle(Runnable handler) {
        Handler made = new Handler(handler);
        lock.lock();
        try {
            if (handlers.isEmpty()) {
                interrupt = controller.allocate(1);
                controller.handle(interrupt, all);
                unhandled = 0;
                off = false;
            }
            handlers.add(made);
            interruptIfAsserted();
        } finally {
            lock.unlock();
        }
        return made;
    }

    private void run() {
        List<Handler> now;
        lock.lock();
        try {
            if (asserting.isEmpty() || off) {
                return; // deasserted before it was looked at
            }
            seen = deasserted;
            now = List.copyOf(handlers);
        } finally {
            lock.unlock();
        }
        for (Handler one : now) {
            one.run();
        }
        lock.lock();
        try {
            unhandled = deasserted == seen ? unhandled + 1 : 0;
            if (unhandled == MOST_UNHANDLED) {
                off = true;
                LOG.error(
                        "{}: nobody cared; switched off after {} runs of {} handlers with {}"
                                + " asserting it",
                        name,
                        unhandled,
                        handlers.size(),
                        asserting);
            }
            interruptIfAsserted();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return name;
    }

    /** One of those that share the line. */
    final class Handler implements AutoCloseable {
        private final Runnable body;
        private volatile boolean closed;

        private Handler(Runnable body) {
            this.body = body;
        }

        private void run() {
            if (closed) {
                return;
            }
            try {
                body.run();
            } catch (RuntimeException | LinkageError | AssertionError e) {
                LOG.error("{}: a handler failed", name, e);
            }
        }

        @Override
        public void close() {
            int was;
            boolean last;
            lock.lock();
            try {
                closed = true;
                if (!handlers.remove(this)) {
                    return;
                }
                was = interrupt;
                last = handlers.isEmpty();
                if (last) {
                    interrupt = -1;
                }
            } finally {
                lock.unlock();
            }
            controller.unhandle(was, last ? all : body); // waits for the run that is under way
            if (last) {
                controller.free(was, 1);
            }
        }
    }
}
