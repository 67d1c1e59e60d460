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

    /**
     * Sets vectors up, or gives them other eventfds. Those of MSI are there from the first call on;
     * of MSI-X more can follow.
     *
     * @return 0
     */
    int enable(IrqSet wanted) {
        int end = wanted.start() + wanted.count();
        boolean begins = !isActive();
        if (end == 0 && begins) {
            throw new ErrnoException(
                    Errno.ERANGE, "no vectors of %s; expected at least 1".formatted(kind));
        }
        while (vectors.size() < end && (begins || kind == InterruptKind.MSIX)) {
            vectors.add(new Vector());
        }
        int at = wanted.start();
        try {
            for (EventFd event : wanted.events().subList(0, wanted.count())) {
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
        if (index >= vectors.size()) {
            if (event != null) {
                throw Interrupts.bad(
                        "vector %d, of which %d are set up; MSI is set up at once"
                                .formatted(index, vectors.size()));
            }
            return;
        }
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

    /** Software causes the interrupts of those that are set up. */
    void trigger(IrqSet wanted) {
        int count = Math.min(wanted.count(), vectors.size() - wanted.start());
        for (int i = 0; i < count; i++) {
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
