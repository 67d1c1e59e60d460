package org.peerlane.exporter.vfio;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.EventFd;

/**
 * The line of a function (VF-63): masked by itself when it comes, until user space unmasks it, by a
 * call or by an eventfd. Masked means that the hardware's INTx-disable bit is set.
 *
 * <p><b>Locks.</b> {@code vfio.irq} around each call, and {@code vfio.line} inside of it, which the
 * handler takes too.
 */
final class Line {
    private static final int COMMAND = 0x04;
    private static final long DISABLE = 1 << 10;
    private static final int STATUS = 0x06;
    private static final long PENDING = 1 << 3;

    private final Execution execution;
    private final PcieFunction function;
    private final NamedLock lock;
    private final Notice notice = new Notice();

    /** Guarded by vfio.irq. */
    private @Nullable AutoCloseable taken;

    private @Nullable EventFdWatch unmasking;

    /** Guarded by lock, as the next. */
    private boolean masked;

    /** User space has set the bit in its command register. */
    private boolean disabled;

    Line(Surroundings surroundings, PcieFunction function) {
        execution = surroundings.execution;
        this.function = function;
        lock = execution.lock("vfio.line");
    }

    boolean isActive() {
        return taken != null;
    }

    void requireActive() {
        if (!isActive()) {
            throw Interrupts.bad("the line of %s is not active".formatted(function.slot()));
        }
    }

    /** Sets it up, or gives it another eventfd, which may be none. */
    void enable(@Nullable EventFd event) {
        if (function.vectors(InterruptKind.INTX) == 0) {
            throw new ErrnoException(Errno.ENODEV, function.slot() + " has no line");
        }
        notice.set(event);
        if (taken == null) {
            taken = function.requestInterrupt(InterruptKind.INTX, 0, this::comes);
            put();
        }
    }

    /** The line is asserted; maybe by somebody else. On the interrupt controller's thread. */
    private void comes() {
        lock.lock();
        try {
            if (masked || disabled || (function.readConfig(STATUS, 2) & PENDING) == 0) {
                return;
            }
            masked = true;
            put();
        } finally {
            lock.unlock();
        }
        notice.signal();
    }

    /** Software causes it. */
    void trigger() {
        notice.signal();
    }

    void mask() {
        set(true, disabled);
    }

    void unmask() {
        set(false, disabled);
    }

    void disabledByCommand(boolean now) {
        set(masked, now);
    }

    /** A reset has cleared the bit. */
    void afterReset() {
        set(masked, disabled);
    }

    private void set(boolean nowMasked, boolean nowDisabled) {
        lock.lock();
        try {
            masked = nowMasked;
            disabled = nowDisabled;
            put();
        } finally {
            lock.unlock();
        }
    }

    /** Tells the hardware. */
    private void put() {
        if (taken != null) {
            long command = function.readConfig(COMMAND, 2) & ~DISABLE;
            function.writeConfig(COMMAND, 2, command | (masked || disabled ? DISABLE : 0));
        }
    }

    /**
     * Unmasks whenever somebody adds to an eventfd; null: nobody does any more.
     *
     * @throws ErrnoException {@code EBUSY} somebody does already
     */
    void unmaskBy(@Nullable EventFd event) {
        EventFdWatch old = unmasking;
        if (old != null && event != null) {
            throw new ErrnoException(
                    Errno.EBUSY,
                    "the line of %s is unmasked by another eventfd".formatted(function.slot()));
        }
        unmasking = null;
        if (old != null) {
            old.close();
        }
        if (event != null) {
            unmasking = EventFdWatch.begin(execution, "vfio.unmask", event, this::unmask);
        }
    }

    void disable() {
        unmaskBy(null);
        AutoCloseable ending = taken;
        if (ending != null) {
            try {
                ending.close(); // waits for a handler that runs
            } catch (Exception e) {
                throw new ErrnoException(Errno.EIO, "the line cannot be given back: " + e);
            }
            set(false, disabled);
            taken = null;
        }
        notice.set(null);
    }
}
