package org.peerlane.bus.pcie;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.pcie.config.Intx;
import org.peerlane.exec.api.NamedLock;

/**
 * The way of INTx messages: up over the ports, turned at each of them (PC-78), to one of four lines
 * of the root port, or of the host bridge for what sits in the root complex itself.
 */
final class IntxLines {
    private final Fabric fabric;
    private final NamedLock lock;

    /** By the name of the line. Guarded by lock. */
    private final Map<String, IntxLine> lines = new HashMap<>();

    IntxLines(Fabric fabric) {
        this.fabric = fabric;
        lock = fabric.execution.lock("bus.intx-lines");
    }

    /** {@return the line of a function's pin, or null: it has no pin} */
    @Nullable IntxLine of(BusFunction function, int pin) {
        if (pin == 0) {
            return null;
        }
        BusFunction at = function;
        int turned = pin;
        while (true) {
            turned = Intx.swizzle(turned, at.device());
            Port above = at.bus().parent;
            if (above == null || above.kind() == PortKind.ROOT) {
                Object end = above == null ? at.bus().host : above.name();
                return line("INT%c of %s".formatted('A' + turned - 1, end));
            }
            at = above;
        }
    }

    private IntxLine line(String name) {
        lock.lock();
        try {
            return lines.computeIfAbsent(name, n -> new IntxLine(n, fabric));
        } finally {
            lock.unlock();
        }
    }
}
