package org.peerlane.dmabuf.core;

import org.peerlane.dmabuf.core.fence.OperationsGate;
import org.peerlane.exec.api.Execution;

/**
 * Whose code is called. When its bundle has left, nobody calls it any more.
 *
 * <p><b>Threads.</b> Any.
 */
final class Callee {
    private final String owner;
    private final OperationsGate gate;

    /**
     * @param owner the bundle, for reports
     */
    Callee(String owner, Execution execution) {
        this.owner = owner;
        gate = new OperationsGate(execution);
    }

    /** {@return the bundle} */
    String owner() {
        return owner;
    }

    OperationsGate gate() {
        return gate;
    }
}
