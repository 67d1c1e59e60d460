package org.peerlane.bus.pcie;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What the operating system does to give one function's vectors of one kind to handlers: takes
 * interrupts, programs MSI-X or MSI, and keeps a vector masked as long as it has no handler; or
 * gives it its line of INTx, as vector 0. Kernel counterpart: {@code pci_alloc_irq_vectors()},
 * {@code request_irq()}.
 *
 * <p><b>Locks.</b> {@code bus.msi}, before {@code bus.function}; not held while a handler is waited
 * for.
 */
final class HostInterrupts {
    private final Endpoint function;
    private final InterruptController controller;
    private final int vectors;
    private final @Nullable MessageTable table;
    private final NamedLock lock;

    /** In place of the table; null: it is about messages, or there is nothing at all. */
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

    HostInterrupts(Endpoint function, Fabric fabric, InterruptKind kind, @Nullable IntxLine intx) {
        this.function = function;
        controller = fabric.interrupts;
        CapabilityLayout.MsiX msiX =
                function.layout().capability(CapabilityLayout.MsiX.class).orElse(null);
        line = kind == InterruptKind.INTX ? intx : null;
        vectors =
                switch (kind) {
                    case INTX -> intx == null ? 0 : 1;
                    case MSI -> function.layout().msiVectors();
                    case MSIX -> msiX == null ? 0 : msiX.vectors();
                };
        table =
                switch (kind) {
                    case INTX -> null;
                    case MSI -> new MsiProgram(function, controller, vectors);
                    case MSIX -> msiX == null ? null : new MsiXProgram(function, controller, msiX);
                };
        registrations = new Registration[vectors];
        lock = fabric.execution.lock("bus.msi");
    }

    int vectors() {
        return vectors;
    }

    /** {@return whether any vector has a handler} */
    boolean isInUse() {
        lock.lock();
        try {
            return Arrays.stream(registrations).anyMatch(Objects::nonNull);
        } finally {
            lock.unlock();
        }
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
            MessageTable messages = Objects.requireNonNull(table);
            int interrupt = messages.interrupt(vector);
            controller.handle(interrupt, handler);
            Registration registration = new Registration(vector, interrupt, handler);
            registrations[vector] = registration;
            messages.program(taken());
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
            if (table != null) {
                table.close();
            }
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
                if (shared == null && table != null) {
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
