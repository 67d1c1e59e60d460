package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/**
 * A function's message-signalled interrupts (PCI Express 5.0 section 7.7.1): a masked vector
 * becomes pending and is sent once when the mask clears (PC-28); the message is a posted write of
 * the function's own (PC-30).
 *
 * <p><b>Locks.</b> The function's config lock; the message itself goes out without it.
 */
final class MsiCapability implements InterruptPort {
    private final PcieRoot root;
    private final Function function;
    private final Gate gate;
    private final FunctionDma dma;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final ConfigSpace config;

    private final Tracepoint<BusEvents.MsiSent> sent;

    /** Where the capability is; 0: there is none. */
    private int at;

    private int vectors;

    /** Guarded by lock; one a vector that software has asked for. */
    private InterruptController.@Nullable Handler[] handlers = {};

    MsiCapability(
            PcieRoot root,
            Function function,
            Gate gate,
            FunctionDma dma,
            NamedLock lock,
            ConfigSpace config,
            Tracer tracer) {
        this.root = root;
        this.function = function;
        this.gate = gate;
        this.dma = dma;
        this.lock = lock;
        this.config = config;
        sent = tracer.point(BusEvents.MsiSent.class);
    }

    /** [held] The capability lies at {@code offset}. */
    void at(int offset, int count) {
        at = offset;
        vectors = count;
        handlers = new InterruptController.@Nullable Handler[count];
    }

    /** [held] A reset has cleared the capability; handlers stay their drivers' to close. */
    void forget() {
        // mask, pending and enable are config space's, which has been laid out anew
    }

    @Override
    public int raise(int vector) {
        long pass = gate.pass();
        int refusal = Gate.refusal(pass);
        if (refusal != DmaResult.OK) {
            return refusal;
        }
        long address;
        int data;
        lock.lock();
        try {
            if (vector < 0 || vector >= vectors || !isEnabled()) {
                return DmaResult.UNSUPPORTED_REQUEST;
            }
            if ((config.get(at + Header.MSI_MASK, 4) >>> vector & 1) != 0) {
                config.set(at + Header.MSI_PENDING, 4, pending() | 1L << vector);
                return DmaResult.OK;
            }
            address = address();
            data = data(vector);
        } finally {
            lock.unlock();
        }
        return send(pass, vector, address, data);
    }

    private int send(long pass, int vector, long address, int data) {
        if (!gate.enter(pass)) {
            int reason = Gate.refusal(gate.pass());
            return reason == DmaResult.OK ? DmaResult.GONE : reason;
        }
        try {
            if (sent.isOn()) {
                sent.emit(new BusEvents.MsiSent(function.slot(), vector, address, data));
            }
            root.message(dma, address, data);
            return DmaResult.OK;
        } finally {
            gate.leave();
        }
    }

    /** Sends what a cleared mask has let go. */
    void sendUnmasked() {
        while (at != 0) {
            long pass = gate.pass();
            int vector;
            long address;
            int data;
            lock.lock();
            try {
                long free = pending() & ~config.get(at + Header.MSI_MASK, 4);
                if (free == 0 || !isEnabled() || Gate.refusal(pass) != DmaResult.OK) {
                    return;
                }
                vector = Long.numberOfTrailingZeros(free);
                config.set(at + Header.MSI_PENDING, 4, pending() & ~(1L << vector));
                address = address();
                data = data(vector);
            } finally {
                lock.unlock();
            }
            send(pass, vector, address, data);
        }
    }

    private boolean isEnabled() {
        return (config.get(at + Header.MSI_CONTROL, 2) & Header.MSI_ENABLE) != 0;
    }

    private long pending() {
        return config.get(at + Header.MSI_PENDING, 4);
    }

    private long address() {
        return config.get(at + Header.MSI_ADDRESS, 4)
                | config.get(at + Header.MSI_ADDRESS + 4, 4) << 32;
    }

    /** [held] Of several enabled vectors, the low bits of the data are the vector's number. */
    private int data(int vector) {
        int enabled = (int) (config.get(at + Header.MSI_CONTROL, 2) >>> 4 & 7);
        int lowBits = (1 << enabled) - 1;
        return (int) config.get(at + Header.MSI_DATA, 2) & ~lowBits | vector & lowBits;
    }

    /** Gives a vector a handler and programs the message. */
    AutoCloseable request(int vector, Runnable action) {
        lock.lock();
        try {
            if (vector < 0 || vector >= vectors) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "%s has no vector %d; it has %d"
                                .formatted(function.slot(), vector, vectors));
            }
            if (handlers[vector] != null) {
                throw new ErrnoException(
                        Errno.EBUSY,
                        "vector %d of %s has a handler".formatted(vector, function.slot()));
            }
            InterruptController.Handler handler = root.interrupts().allocate(action);
            handlers[vector] = handler;
            if (vector == 0) {
                config.set(at + Header.MSI_ADDRESS, 4, handler.address());
                config.set(at + Header.MSI_ADDRESS + 4, 4, 0);
                config.set(at + Header.MSI_DATA, 2, handler.data());
            }
            long control = config.get(at + Header.MSI_CONTROL, 2);
            config.set(at + Header.MSI_CONTROL, 2, control | Header.MSI_ENABLE);
            return () -> release(vector, handler);
        } finally {
            lock.unlock();
        }
    }

    private void release(int vector, InterruptController.Handler handler) {
        lock.lock();
        try {
            if (handlers[vector] == handler) {
                handlers[vector] = null;
                boolean none = true;
                for (InterruptController.Handler other : handlers) {
                    none &= other == null;
                }
                if (none) {
                    long control = config.get(at + Header.MSI_CONTROL, 2);
                    config.set(at + Header.MSI_CONTROL, 2, control & ~(long) Header.MSI_ENABLE);
                }
            }
        } finally {
            lock.unlock();
        }
        handler.close();
    }
}
