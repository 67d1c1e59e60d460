package org.peerlane.bus.pcie;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Version;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.trace.api.Tracer;

/**
 * Devices and drivers come and go here, one event after another on one thread, whoever reports
 * them.
 *
 * <p>A slot keeps its device until the device's type leaves; then it takes the highest version that
 * is present. A function without a driver is offered to every driver.
 *
 * <p><b>Threads.</b> Events come from any thread and are queued; the state below is the life-cycle
 * thread's alone. An arrival returns at once; a departure waits until what departs is let go, with
 * a limit, because a plugin may not be gone while it is still called.
 */
final class LifeCycle implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(LifeCycle.class);
    private static final long DEPARTURE_LIMIT_NANOS = 5_000_000_000L;

    private final PcieRoot root;
    private final Execution execution;
    private final Tracer tracer;
    private final NamedLock lock;
    private final Condition changed;

    /** Guarded by lock. */
    private final Queue<Runnable> events = new ArrayDeque<>();

    /** Guarded by lock: events queued so far, and events done. */
    private long queued;

    private long done;

    /** Guarded by lock. */
    private boolean closed;

    private final EmulatedThread thread;

    // the life-cycle thread's alone
    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final List<Type> types = new ArrayList<>();
    private final List<PcieDriver> drivers = new ArrayList<>();

    /** A slot of the board. */
    private static final class Slot {
        final String name;
        final PcieAddress address;
        final String device;
        final Map<String, Object> options;
        @Nullable Type type;
        @Nullable Function function;
        @Nullable PcieDriver driver;

        /** A type that failed here is not tried again until it comes anew. */
        @Nullable Type failed;

        Slot(String name, PcieAddress address, String device, Map<String, Object> options) {
            this.name = name;
            this.address = address;
            this.device = device;
            this.options = options;
        }
    }

    private record Type(String name, Version version, DeviceType service) {}

    LifeCycle(PcieRoot root, Execution execution, Tracer tracer) {
        this.root = root;
        this.execution = execution;
        this.tracer = tracer;
        lock = execution.lock("bus.lifecycle");
        changed = lock.newCondition("changed");
        thread = execution.start(ThreadKind.BLOCKING, "bus.lifecycle", this::run);
    }

    // ---- events, from any thread

    void addSlot(String name, PcieAddress address, String device, Map<String, Object> options) {
        queue(() -> {
            slots.put(name, new Slot(name, address, device, options));
            fill();
        });
    }

    void removeSlot(String name) {
        await(
                "slot " + name,
                queue(() -> {
                    Slot slot = slots.remove(name);
                    if (slot != null) {
                        empty(slot);
                    }
                }));
    }

    void addType(String name, Version version, DeviceType service) {
        queue(() -> {
            types.add(new Type(name, version, service));
            fill();
        });
    }

    void removeType(DeviceType service) {
        await("device type " + service, queue(() -> dropType(service)));
    }

    void addDriver(PcieDriver driver) {
        queue(() -> {
            drivers.add(driver);
            fill();
        });
    }

    void removeDriver(PcieDriver driver) {
        await("driver " + driver, queue(() -> dropDriver(driver)));
    }

    /** {@return whether everything queued so far was done within the limit} */
    boolean settle(long timeoutNanos) throws InterruptedException {
        lock.lock();
        try {
            return awaitDone(queued, timeoutNanos);
        } finally {
            lock.unlock();
        }
    }

    private long queue(Runnable event) {
        lock.lock();
        try {
            events.add(event);
            changed.signalAll();
            return ++queued;
        } finally {
            lock.unlock();
        }
    }

    private void await(String what, long number) {
        lock.lock();
        try {
            if (!awaitDone(number, DEPARTURE_LIMIT_NANOS)) {
                LOG.warn("{} departs, but has not been let go within 5 s", what);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private boolean awaitDone(long number, long nanos) throws InterruptedException {
        long end = execution.nanoTime() + nanos;
        while (done < number && !closed) {
            long left = end - execution.nanoTime();
            if (left <= 0) {
                return false;
            }
            changed.awaitNanos(left);
        }
        return true;
    }

    // ---- the life-cycle thread

    private void run() {
        try {
            while (true) {
                Runnable event = next();
                try {
                    event.run();
                } catch (RuntimeException e) {
                    LOG.error("life cycle", e);
                }
                lock.lock();
                try {
                    done++;
                    changed.signalAll();
                } finally {
                    lock.unlock();
                }
            }
        } catch (InterruptedException e) {
            // the bus goes down
        }
    }

    private Runnable next() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                Runnable event = events.poll();
                if (event != null) {
                    return event;
                }
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Fills what is empty, and finds drivers for what has none. */
    private void fill() {
        for (Slot slot : slots.values()) {
            if (slot.function == null) {
                types.stream()
                        .filter(t -> t.name.equals(slot.device) && t != slot.failed)
                        .max(Comparator.comparing(Type::version))
                        .ifPresent(type -> plugIn(slot, type));
            }
            if (slot.function != null && slot.driver == null) {
                bind(slot, slot.function);
            }
        }
    }

    private void plugIn(Slot slot, Type type) {
        var function = new Function(root, slot.address, slot.name, slot.options, execution, tracer);
        try {
            function.attach(type.service.create(function));
        } catch (RuntimeException e) {
            LOG.error("slot {} stays empty: {}", slot.name, e.getMessage());
            LOG.debug("", e);
            slot.failed = type;
            return;
        }
        slot.type = type;
        slot.function = function;
        root.add(function);
        LOG.info("{} {} {} is in slot {}", function.address(), type.name, type.version, slot.name);
    }

    private void bind(Slot slot, Function function) {
        for (PcieDriver driver : drivers) {
            try {
                if (driver.matches(function)) {
                    driver.probe(function);
                    slot.driver = driver;
                    return;
                }
            } catch (RuntimeException e) {
                LOG.error("{}: driver {} refused: {}", slot.name, driver, e.getMessage());
                LOG.debug("", e);
            }
        }
    }

    /** Surprise removal: nothing of the device arrives any more, then everybody is told. */
    private void empty(Slot slot) {
        Function function = slot.function;
        if (function == null) {
            return;
        }
        function.detach();
        unbind(slot, function, true);
        DeviceModel model = function.model();
        if (model != null) {
            try {
                model.close();
            } catch (RuntimeException e) {
                LOG.error("{}: device threw on its way out", slot.name, e);
            }
        }
        root.remove(function);
        slot.function = null;
        slot.type = null;
        LOG.info("slot {} is empty", slot.name);
    }

    private static void unbind(Slot slot, Function function, boolean gone) {
        PcieDriver driver = slot.driver;
        slot.driver = null;
        if (driver != null) {
            try {
                driver.remove(function, gone);
            } catch (RuntimeException e) {
                LOG.error("{}: driver {} threw on remove", slot.name, driver, e);
            }
        }
    }

    private void dropType(DeviceType service) {
        types.removeIf(t -> t.service == service);
        for (Slot slot : slots.values()) {
            if (slot.type != null && slot.type.service == service) {
                empty(slot);
            }
        }
        fill();
    }

    private void dropDriver(PcieDriver driver) {
        drivers.remove(driver);
        for (Slot slot : slots.values()) {
            Function function = slot.function;
            if (slot.driver == driver && function != null) {
                unbind(slot, function, false);
                function.enable(false, false);
            }
        }
        fill();
    }

    @Override
    public void close() {
        await("the bus", queue(() -> slots.values().forEach(this::empty)));
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        thread.interrupt();
    }
}
