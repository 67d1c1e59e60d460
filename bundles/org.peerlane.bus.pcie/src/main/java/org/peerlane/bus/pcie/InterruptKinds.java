package org.peerlane.bus.pcie;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The kinds of interrupts of one function, of which one at a time is in use.
 *
 * <p><b>Threads.</b> Any; two that begin with two kinds at once may both get what they ask for, as
 * two drivers of one function would.
 */
final class InterruptKinds {
    private final Endpoint function;
    private final Map<InterruptKind, HostInterrupts> kinds = new EnumMap<>(InterruptKind.class);

    InterruptKinds(Endpoint function, Fabric fabric, @Nullable IntxLine line) {
        this.function = function;
        for (InterruptKind kind : InterruptKind.values()) {
            kinds.put(kind, new HostInterrupts(function, fabric, kind, line));
        }
    }

    private HostInterrupts of(InterruptKind kind) {
        HostInterrupts found = kinds.get(kind);
        if (found == null) {
            throw new AssertionError(kind);
        }
        return found;
    }

    int vectors(InterruptKind kind) {
        return of(kind).vectors();
    }

    /** {@return the kind for a driver that has no wish: messages before a line} */
    InterruptKind usual() {
        if (vectors(InterruptKind.MSIX) != 0) {
            return InterruptKind.MSIX;
        }
        return vectors(InterruptKind.MSI) != 0 || vectors(InterruptKind.INTX) == 0
                ? InterruptKind.MSI
                : InterruptKind.INTX;
    }

    AutoCloseable request(InterruptKind kind, int vector, Runnable handler) {
        kinds.forEach((other, one) -> {
            if (other != kind && one.isInUse()) {
                throw new ErrnoException(
                        Errno.EBUSY,
                        "%s is asked for %s, and %s is in use".formatted(function, kind, other));
            }
        });
        return of(kind).request(vector, handler);
    }

    void releaseAll() {
        kinds.values().forEach(HostInterrupts::releaseAll);
    }

    void close() {
        kinds.values().forEach(HostInterrupts::close);
    }
}
