package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What the operating system does to give one function's vectors to handlers: takes interrupts,
 * programs MSI-X if the function has it and MSI else, and keeps a vector masked as long as it has
 * no handler. A function that has neither gets its INTx line as vector 0. Kernel counterpart:
 * {@code pci_alloc_irq_vectors()}, {@code request_irq()}.
 *
 * <p><b>Locks.</b> {@code bus.msi}, before {@code bus.function}; not held while a handler is waited
 * for.
 */
final class HostInterrupts {
    private final Endpoint function;
    private final InterruptController controller;
    private final int vectors;
    private final MessageTable table;
    private final NamedLock lock;

    /** In place of the table; null: the function has messages, or nothing at all. */
    private final @Nullable IntxLine line;

    /** By vector: who has it. Guarded by lock. */
    private final @Nullable Registration[] registrations;

    /** How a function's messages are programmed. */
    interface MessageTable {
        /** Makes sure that the vector has an interrupt. {@return which} */
        int interrupt(int vector);

        /**
         * A vector has got a handler, or lost it; a reset may have cleared all that was programmed.
         *
         * @param taken by vector, whether it has one
         */
        void program(boolean[] taken);

        /** Gives the interrupts back. */
        void close();
    }

    HostInterrupts(Endpoint function, Fabric fabric, @Nullable IntxLine intx) {
        this.function = function;
        controller = fabric.interrupts;
        CapabilityLayout.MsiX msiX =
                function.layout().capability(CapabilityLayout.MsiX.class).orElse(null);
        int messages = msiX != null ? msiX.vectors() : function.layout().msiVectors();
        line = messages == 0 ? intx : null;
        vectors = line == null ? messages : 1;
        table =
                msiX != null
                        ? new MsiXProgram(function, controller, msiX)
                        : new MsiProgram(function, controller, vectors);
        registrations = new Registration[vectors];
        lock = fabric.execution.lock("bus.msi");
    }

    AutoCloseable request(int vector, Runnable handler) {
        lock.lock();
        try {
            if (!function.isPresent()) {
                throw new ErrnoException(Errno.ENODEV, function + " has left");
            }
            if (vector < 0 || vector >= vectors) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "%s has no vector %d; it has %d".formatted(function, vector, vectors));
            }
            if (registrations[vector] != null) {
                throw new ErrnoException(
                        Errno.EBUSY, "%s: vector %d has a handler".formatted(function, vector));
            }
            if (line != null) {
                Registration shared = new Registration(line.handle(handler));
                registrations[vector] = shared;
                function.allowIntx();
                return shared;
            }
            int interrupt = table.interrupt(vector);
            controller.handle(interrupt, handler);
            Registration registration = new Registration(vector, interrupt, handler);
            registrations[vector] = registration;
            table.program(taken());
            return registration;
        } finally {
            lock.unlock();
        }
    }

    private boolean[] taken() {
        boolean[] taken = new boolean[vectors];
        for (int i = 0; i < vectors; i++) {
            taken[i] = registrations[i] != null;
        }
        return taken;
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

    /** Gives the interrupts back. */
    void close() {
        lock.lock();
        try {
            table.close();
        } finally {
            lock.unlock();
        }
    }

    private final class Registration implements AutoCloseable {
        private final int vector;
        private final int interrupt;
        private final Runnable handler;
        private final IntxLine.@Nullable Handler shared;

        Registration(int vector, int interrupt, Runnable handler) {
            this.vector = vector;
            this.interrupt = interrupt;
            this.handler = handler;
            shared = null;
        }

        /** One of a shared line. */
        Registration(IntxLine.Handler shared) {
            vector = 0;
            interrupt = -1;
            handler = () -> {};
            this.shared = shared;
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (registrations[vector] != this) {
                    return;
                }
                registrations[vector] = null;
                if (shared == null) {
                    table.program(taken());
                }
            } finally {
                lock.unlock();
            }
            if (shared == null) {
                controller.unhandle(interrupt, handler);
            } else {
                shared.close();
            }
        }
    }
}
