package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What the operating system does to give one function's vectors to handlers: takes a run of
 * interrupts, programs the MSI capability by config writes, and keeps a vector masked as long as it
 * has no handler. Kernel counterpart: {@code pci_alloc_irq_vectors()}, {@code request_irq()}.
 *
 * <p><b>Locks.</b> {@code bus.msi}, before {@code bus.function}; not held while a handler is waited
 * for.
 */
final class HostInterrupts {
    private final Endpoint function;
    private final InterruptController controller;
    private final int vectors;
    private final NamedLock lock;

    /** First interrupt of the run, -1 until one is needed. Guarded by lock, as all below. */
    private int first = -1;

    /** One bit per vector that has a handler. */
    private int taken;

    private final @Nullable Registration[] registrations;

    HostInterrupts(Endpoint function, Fabric fabric) {
        this.function = function;
        controller = fabric.interrupts;
        vectors = function.layout().msiVectors();
        registrations = new Registration[vectors];
        lock = fabric.execution.lock("bus.msi");
    }

    AutoCloseable request(int vector, Runnable handler) {
        lock.lock();
        try {
            if (!function.isPresent()) {
                throw new ErrnoException(Errno.ENODEV, name() + " has left");
            }
            if (vector < 0 || vector >= vectors) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "%s has no vector %d; it has %d".formatted(name(), vector, vectors));
            }
            if (registrations[vector] != null) {
                throw new ErrnoException(
                        Errno.EBUSY, "%s: vector %d has a handler".formatted(name(), vector));
            }
            if (first < 0) {
                first = controller.allocate(vectors);
            }
            controller.handle(first + vector, handler);
            Registration registration = new Registration(vector, handler);
            registrations[vector] = registration;
            taken |= 1 << vector;
            program();
            return registration;
        } finally {
            lock.unlock();
        }
    }

    private String name() {
        return function.address() + " (" + function.slot() + ")";
    }

    /** All of it each time: a reset may have cleared it. */
    private void program() {
        assert lock.isHeldByCurrentThread();
        long address = InterruptController.address(first);
        function.writeConfig(Type0.MSI_ADDRESS, 4, address);
        function.writeConfig(Type0.MSI_ADDRESS + 4, 4, address >>> 32);
        function.writeConfig(Type0.MSI_DATA, 2, InterruptController.data(first));
        function.writeConfig(Type0.MSI_MASK, 4, ~taken & 0xFFFF_FFFFL);
        int enabled = Integer.numberOfTrailingZeros(vectors) << 4 | Type0.MSI_ENABLE;
        function.writeConfig(Type0.MSI_CONTROL, 2, taken == 0 ? 0 : enabled);
    }

    /** Takes back every handler; waits for those that run. */
    void releaseAll() {
        for (int vector = 0; vector < vectors; vector++) {
            Registration registration;
            lock.lock();
            try {
                registration = registrations[vector];
            } finally {
                lock.unlock();
            }
            if (registration != null) {
                registration.close();
            }
        }
    }

    /** Gives the run of interrupts back. */
    void close() {
        lock.lock();
        try {
            if (first >= 0) {
                controller.free(first, vectors);
                first = -1;
            }
        } finally {
            lock.unlock();
        }
    }

    private final class Registration implements AutoCloseable {
        private final int vector;

        private final Runnable handler;

        Registration(int vector, Runnable handler) {
            this.vector = vector;
            this.handler = handler;
        }

        @Override
        public void close() {
            int interrupt;
            lock.lock();
            try {
                if (registrations[vector] != this) {
                    return;
                }
                registrations[vector] = null;
                taken &= ~(1 << vector);
                interrupt = first + vector;
                program();
            } finally {
                lock.unlock();
            }
            controller.unhandle(interrupt, handler);
        }
    }
}
