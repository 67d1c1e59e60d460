package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.Msi;
import org.peerlane.bus.pcie.config.MsiX;
import org.peerlane.bus.pcie.config.MsiXTable;
import org.peerlane.exec.api.NamedLock;

/**
 * The ways one function has to interrupt: MSI-X if that is on, else MSI (PC-29), else INTx.
 *
 * <p><b>Locks.</b> {@code bus.messages} puts what config space says into effect, in order; messages
 * that were pending are sent with it. Raising takes none.
 */
final class FunctionInterrupts implements InterruptPort {
    private final FunctionDmaPort port;
    private final MsiPort msi;
    private final NamedLock lock;

    private volatile @Nullable Endpoint endpoint;
    private volatile @Nullable MsiXTable table;
    private volatile boolean msiX;

    FunctionInterrupts(FunctionDmaPort port, Fabric fabric) {
        this.port = port;
        msi = new MsiPort(port, fabric.trace);
        lock = fabric.execution.lock("bus.messages");
    }

    /** Says whose ways they are; nothing is asserted before. */
    void endpoint(Endpoint function) {
        endpoint = function;
    }

    /** The function's layout is known: it has a table, or not. */
    void table(@Nullable MsiXTable made) {
        table = made;
    }

    @Nullable MsiXTable table() {
        return table;
    }

    /** {@return the bits of the MSI pending register} */
    int pendingMsi() {
        return msi.pending();
    }

    @Override
    public int raise(int vector) {
        if (port.refusal() == DmaResult.GONE) {
            return DmaResult.GONE;
        }
        MsiXTable made = table;
        return msiX && made != null ? made.raise(vector) : msi.raise(vector);
    }

    @Override
    public void intx(boolean level) {
        Endpoint function = endpoint;
        if (function != null) {
            function.config().intx(level);
        }
    }

    /** Everything pending is forgotten, and all messages are off. */
    void reset() {
        msiX = false;
        msi.reset();
        MsiXTable made = table;
        if (made != null) {
            made.reset();
        }
    }

    /**
     * Puts into effect what config space says, and sends what may go now. Without the function's
     * lock.
     */
    void apply(NamedLock function, FunctionConfig config, boolean present) {
        lock.lock();
        try {
            MsiXTable made = table;
            function.lock();
            try {
                MsiX capability = present ? config.msiX() : null;
                msiX = capability != null && capability.enabled();
                if (made != null && capability != null) {
                    capability.program(made);
                }
                msi.program(programmed(present ? config.msi() : null));
            } finally {
                function.unlock();
            }
            if (made != null && port.refusal() == DmaResult.OK) {
                made.sendPending();
            }
            msi.sendPending();
        } finally {
            lock.unlock();
        }
    }

    private static MsiPort.Programmed programmed(@Nullable Msi msi) {
        return msi == null || !msi.enabled()
                ? MsiPort.Programmed.OFF
                : new MsiPort.Programmed(
                        msi.enabledVectors(), msi.address(), msi.data(), msi.mask());
    }
}
