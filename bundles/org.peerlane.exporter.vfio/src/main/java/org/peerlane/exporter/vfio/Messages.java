package org.peerlane.exporter.vfio;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.EventFd;
import org.peerlane.vfio.api.IrqSet;

/**
 * The vectors of MSI or of MSI-X (VF-64). A vector without an eventfd is masked.
 *
 * <p><b>Locks.</b> {@code vfio.irq} around each call. A handler runs on the interrupt controller's
 * thread and only adds to the eventfd.
 */
final class Messages {
    private final PcieFunction function;
    private final InterruptKind kind;
    private final List<Vector> vectors = new ArrayList<>();

    /** One that is set up. */
    private static final class Vector {
        final Notice notice = new Notice();
        @Nullable AutoCloseable taken;
    }

    Messages(PcieFunction function, InterruptKind kind) {
        this.function = function;
        this.kind = kind;
    }

    InterruptKind kind() {
        return kind;
    }

    boolean isActive() {
        return !vectors.isEmpty();
    }

    /** {@return how many vectors are set up, those without an eventfd included} */
    int enabled() {
        return vectors.size();
    }

    void requireActive() {
        if (!isActive()) {
            throw Interrupts.bad("%s of %s is not active".formatted(kind, function.slot()));
        }
    }

    /** {@return 0} */
    int enable(IrqSet wanted) {
        int end = wanted.start() + wanted.count();
        boolean begins = !isActive();
        if (!begins && kind == InterruptKind.MSI && end > vectors.size()) {
            throw Interrupts.bad(
                    "%d vectors, of which %d are set up; MSI is set up at once"
                            .formatted(end, vectors.size()));
        }
        while (vectors.size() < end) {
            vectors.add(new Vector());
        }
        int at = wanted.start();
        try {
            for (EventFd event : wanted.events()) {
                set(at, event);
                at++;
            }
        } catch (ErrnoException e) {
            for (int done = wanted.start(); done <= at; done++) {
                set(done, null);
            }
            if (begins) {
                disable();
            }
            throw e;
        }
        return 0;
    }

    private void set(int index, @Nullable EventFd event) {
        Vector vector = vectors.get(index);
        if (event == null) {
            release(vector);
            vector.notice.set(null);
            return;
        }
        vector.notice.set(event);
        if (vector.taken == null) {
            vector.taken = function.requestInterrupt(kind, index, vector.notice::signal);
        }
    }

    private static void release(Vector vector) {
        AutoCloseable taken = vector.taken;
        vector.taken = null;
        if (taken != null) {
            try {
                taken.close();
            } catch (Exception e) {
                throw new ErrnoException(Errno.EIO, "a vector cannot be given back: " + e);
            }
        }
    }

    /** Software causes the interrupts. */
    void trigger(IrqSet wanted) {
        if (wanted.start() + wanted.count() > vectors.size()) {
            throw Interrupts.bad(
                    "%d vectors, of which %d are set up"
                            .formatted(wanted.start() + wanted.count(), vectors.size()));
        }
        for (int i = 0; i < wanted.count(); i++) {
            if ((wanted.flags() & IrqSet.NONE) != 0 || wanted.bools().get(i)) {
                vectors.get(wanted.start() + i).notice.signal();
            }
        }
    }

    void disable() {
        for (Vector vector : vectors) {
            release(vector);
            vector.notice.set(null);
        }
        vectors.clear();
    }
}
