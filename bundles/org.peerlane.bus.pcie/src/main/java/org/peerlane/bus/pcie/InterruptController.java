package org.peerlane.bus.pcie;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The CPU's end of message-signalled interrupts, as on x86: a message says by its address which CPU
 * and by its data which of 256 vectors. A vector that comes again before its handler has begun is
 * one interrupt, as in the IRR of a local APIC.
 *
 * <p><b>Threads.</b> Handlers run one after the other on a thread of the controller's.
 *
 * <p><b>Locks.</b> {@code bus.interrupts}, a leaf; no handler is called with it.
 */
final class InterruptController {
    private static final Logger LOG = LogManager.getLogger(InterruptController.class);
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(int[].class);
    private static final long WINDOW = 0xFEE0_0000L;
    private static final long WINDOW_MASK = ~0xF_FFFFL;

    /** Vectors below are the CPU's exceptions, vectors from 0xE0 on the kernel's own. */
    private static final int FIRST = 0x20;

    private static final int AFTER_LAST = 0xE0;
    private static final int CPUS = 256;
    private static final int PER_CPU = 256;

    private final NamedLock lock;
    private final Condition raised;
    private final Condition finished;

    /** One bit per CPU and vector: came, and its handler has not begun. */
    private final int[] requested = new int[CPUS * PER_CPU / 32];

    private final AtomicReferenceArray<@Nullable Runnable> handlers =
            new AtomicReferenceArray<>(CPUS * PER_CPU);
    private final LongAdder spurious = new LongAdder();

    /** Guarded by lock, as all below. */
    private final BitSet taken = new BitSet(CPUS * PER_CPU);

    private boolean work;
    private boolean closed;
    private int running = -1;
    private @Nullable Thread carrier;
    private final EmulatedThread engine;

    InterruptController(Execution execution) {
        lock = execution.lock("bus.interrupts");
        raised = lock.newCondition("raised");
        finished = lock.newCondition("finished");
        engine = execution.start(ThreadKind.BLOCKING, "bus.interrupts", this::serve);
    }

    /** {@return whether a write there is an interrupt (IM-9)} */
    static boolean inWindow(long address) {
        return (address & WINDOW_MASK) == WINDOW;
    }

    /** {@return the address of an interrupt's message} */
    static long address(int interrupt) {
        return WINDOW | (long) (interrupt / PER_CPU) << 12;
    }

    /** {@return the data of an interrupt's message} */
    static int data(int interrupt) {
        return interrupt % PER_CPU;
    }

    /**
     * Takes a run of interrupts of one CPU.
     *
     * @param count a power of two to 32; the data of the first is a multiple of it
     * @throws ErrnoException {@code ENOSPC} no run is free
     */
    int allocate(int count) {
        lock.lock();
        try {
            for (int cpu = 0; cpu < CPUS; cpu++) {
                for (int vector = FIRST; vector < AFTER_LAST; vector += count) {
                    int first = cpu * PER_CPU + vector;
                    int next = taken.nextSetBit(first);
                    if (next < 0 || next >= first + count) {
                        taken.set(first, first + count);
                        return first;
                    }
                }
            }
        } finally {
            lock.unlock();
        }
        throw new ErrnoException(Errno.ENOSPC, "no " + count + " interrupts in a row are free");
    }

    void free(int first, int count) {
        lock.lock();
        try {
            taken.clear(first, first + count);
        } finally {
            lock.unlock();
        }
    }

    void handle(int interrupt, Runnable handler) {
        clear(interrupt);
        handlers.set(interrupt, handler);
    }

    /** Takes a handler back; when it returns, the handler does not run, unless it is the caller. */
    void unhandle(int interrupt, Runnable handler) {
        handlers.compareAndSet(interrupt, handler, null); // somebody else may have it already
        lock.lock();
        try {
            while (running == interrupt && Thread.currentThread() != carrier) {
                finished.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * A message has come. Only marks it.
     *
     * @return false: nobody handles it
     */
    boolean deliver(long address, int data) {
        int interrupt = (int) (address >>> 12 & 0xFF) * PER_CPU + (data & 0xFF);
        if (handlers.get(interrupt) == null) {
            spurious.increment();
            return false;
        }
        int bit = 1 << interrupt % 32;
        if (((int) WORD.getAndBitwiseOr(requested, interrupt / 32, bit) & bit) == 0) {
            lock.lock();
            try {
                work = true;
                raised.signal();
            } finally {
                lock.unlock();
            }
        }
        return true;
    }

    /** {@return messages that nobody handles} */
    long spurious() {
        return spurious.sum();
    }

    /** Ends the thread, after the handler that it is in. */
    void close() {
        lock.lock();
        try {
            closed = true;
            raised.signal();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether the thread still runs} */
    boolean isAlive() {
        return engine.isAlive();
    }

    private boolean clear(int interrupt) {
        int bit = 1 << interrupt % 32;
        return ((int) WORD.getAndBitwiseAnd(requested, interrupt / 32, ~bit) & bit) != 0;
    }

    private void serve() {
        while (awaitWork()) {
            for (int word = 0; word < requested.length; word++) {
                int bits = (int) WORD.getVolatile(requested, word);
                for (; bits != 0; bits &= bits - 1) {
                    run(word * 32 + Integer.numberOfTrailingZeros(bits));
                }
            }
        }
    }

    private boolean awaitWork() {
        lock.lock();
        try {
            carrier = Thread.currentThread();
            while (!work && !closed) {
                raised.awaitUninterruptibly();
            }
            work = false;
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    private void run(int interrupt) {
        Runnable handler;
        lock.lock();
        try {
            handler = handlers.get(interrupt);
            running = interrupt;
        } finally {
            lock.unlock();
        }
        try {
            if (clear(interrupt) && handler != null) {
                handler.run();
            }
        } catch (RuntimeException | Error e) {
            LOG.error("the handler of interrupt 0x{} failed", Integer.toHexString(interrupt), e);
        } finally {
            lock.lock();
            try {
                running = -1;
                finished.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
