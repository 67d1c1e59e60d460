package org.peerlane.bus.pcie;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Takes the memory writes that are interrupts (IM-9), and calls the handlers.
 *
 * <p>A message names its handler by its data. A handler that is pending already stays pending once,
 * as in a local APIC.
 *
 * <p><b>Threads.</b> {@link #deliver} any, without a lock or an allocation; handlers run on one
 * thread of the controller's.
 */
final class InterruptController implements AutoCloseable {
    /** The window that is interrupts, never memory. */
    static final long FIRST = 0xFEE0_0000L;

    static final long LAST = 0xFEEF_FFFFL;

    private static final Logger LOG = LogManager.getLogger(InterruptController.class);
    private static final int VECTORS = 4096;

    private final AtomicReferenceArray<@Nullable Handler> handlers =
            new AtomicReferenceArray<>(VECTORS);

    /** Pending handlers, last in first. */
    private final AtomicReference<@Nullable Handler> pending = new AtomicReference<>();

    private final Doorbell bell;
    private final NamedLock lock;
    private final Condition idle;

    /** Guarded by lock. */
    private @Nullable Handler running;

    private final EmulatedThread thread;
    private volatile @Nullable Thread self;

    InterruptController(Execution execution) {
        bell = new Doorbell(execution, "bus.irq.bell");
        lock = execution.lock("bus.irq");
        idle = lock.newCondition("idle");
        thread = execution.start(ThreadKind.BLOCKING, "bus.irq", this::run);
    }

    /** A vector and who is called for it. */
    final class Handler implements AutoCloseable {
        private final int vector;
        private final Runnable action;
        private final AtomicBoolean isPending = new AtomicBoolean();
        private @Nullable Handler next;

        private Handler(int vector, Runnable action) {
            this.vector = vector;
            this.action = action;
        }

        long address() {
            return FIRST;
        }

        int data() {
            return vector;
        }

        /** Takes the vector back; afterwards the handler does not run any more. */
        @Override
        public void close() {
            handlers.compareAndSet(vector, this, null);
            if (Thread.currentThread() == self) {
                return; // from the handler itself
            }
            lock.lock();
            try {
                while (running == this) {
                    idle.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * Gives a handler a vector of its own.
     *
     * @throws ErrnoException {@code ENOSPC} none is left
     */
    Handler allocate(Runnable action) {
        for (int i = 0; i < VECTORS; i++) {
            var handler = new Handler(i, action);
            if (handlers.compareAndSet(i, null, handler)) {
                return handler;
            }
        }
        throw new ErrnoException(
                Errno.ENOSPC, "all %d interrupt vectors are taken".formatted(VECTORS));
    }

    /**
     * A write of {@code data} has reached the window; data that nobody has asked for is dropped.
     */
    void deliver(int data) {
        Handler handler = data >= 0 && data < VECTORS ? handlers.get(data) : null;
        if (handler == null || !handler.isPending.compareAndSet(false, true)) {
            return;
        }
        Handler first;
        do {
            first = pending.get();
            handler.next = first;
        } while (!pending.compareAndSet(first, handler));
        bell.ring();
    }

    private void run() {
        self = Thread.currentThread();
        try {
            while (true) {
                bell.await();
                Handler list = reversed(pending.getAndSet(null));
                while (list != null) {
                    Handler next = list.next;
                    call(list);
                    list = next;
                }
            }
        } catch (InterruptedException e) {
            // the machine goes down
        }
    }

    private static @Nullable Handler reversed(@Nullable Handler list) {
        Handler result = null;
        Handler rest = list;
        while (rest != null) {
            Handler next = rest.next;
            rest.next = result;
            result = rest;
            rest = next;
        }
        return result;
    }

    private void call(Handler handler) {
        lock.lock();
        try {
            running = handler;
        } finally {
            lock.unlock();
        }
        handler.isPending.set(false);
        try {
            if (handlers.get(handler.vector) == handler) {
                handler.action.run();
            }
        } catch (RuntimeException e) {
            LOG.error("interrupt handler of vector {} threw", handler.vector, e);
        } finally {
            lock.lock();
            try {
                running = null;
                idle.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
