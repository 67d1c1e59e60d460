package org.peerlane.dmabuf.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.peerlane.bus.api.FunctionListener;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/**
 * Who leaves, and when: bundles, when they let go of what they have here; devices, when the bus
 * says so.
 *
 * <p>The driver of a device that has gone gets the time limit to take back by itself what it has;
 * what is left then is taken back for it.
 *
 * <p><b>Threads.</b> Any.
 */
final class Departures implements FunctionListener {
    private static final int KEPT = 100;

    private final Services services;
    private final BufferRegistry registry;
    private final long limitNanos;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Deque<DepartureReport> reports = new ArrayDeque<>();

    /** Of devices that have gone. Guarded by lock. */
    private final Set<Timer> timers = new HashSet<>();

    private boolean closed;

    Departures(Services services, BufferRegistry registry, long limitNanos) {
        this.services = services;
        this.registry = registry;
        this.limitNanos = limitNanos;
        lock = services.execution.lock("dmabuf.departures");
    }

    /** A bundle leaves: nothing of it is left here when this returns, or the report says what. */
    DepartureReport leave(OwnerDmaBufs owner) {
        Departure departure = new Departure(services, owner.owner(), limitNanos, false);
        List<BufferAttachment> attachments = owner.attachments();
        attachments.forEach(departure::add);
        List<Buffer> exported = owner.buffers();
        exported.forEach(departure::add);
        departure.run();
        departure.silence(owner);
        exported.forEach(owner.holdings()::putFor);
        forget(owner);
        return keep(departure.report());
    }

    /** What is behind some buffers goes; their exporter stays. */
    DepartureReport depart(String who, List<Buffer> exported) {
        Departure departure = new Departure(services, who, limitNanos, false);
        exported.forEach(departure::add);
        departure.run();
        return keep(departure.report());
    }

    /** Nothing calls into the bundle any more, not even what it had left with others. */
    private void forget(OwnerDmaBufs owner) {
        services.primitives.forgetCallbacks(owner::isIts);
        for (Buffer buffer : registry.all()) {
            try {
                buffer.polls().forget(owner::isIts);
            } finally {
                buffer.putLater();
            }
        }
    }

    @Override
    public void reset(PcieFunction function, ResetKind kind) {
        services.quarantine.lift(function);
    }

    @Override
    public void gone(PcieFunction function) {
        services.quarantine.lift(function);
        List<BufferAttachment> attached = attachedTo(function);
        for (BufferAttachment attachment : attached) {
            attachment.leaving("its device has gone");
        }
        if (attached.isEmpty()) {
            return;
        }
        lock.lock();
        try {
            if (closed) {
                return;
            }
            Timer[] timer = new Timer[1];
            String name = "dmabuf.gone." + function.slot();
            timer[0] =
                    services.execution.schedule(
                            name,
                            limitNanos,
                            () ->
                                    services.execution.start(
                                            ThreadKind.BLOCKING,
                                            name,
                                            () -> late(timer, function)));
            timers.add(timer[0]);
        } finally {
            lock.unlock();
        }
    }

    private void late(Timer[] timer, PcieFunction function) {
        lock.lock();
        try {
            timers.remove(timer[0]);
            if (closed) {
                return;
            }
        } finally {
            lock.unlock();
        }
        List<BufferAttachment> left = attachedTo(function);
        if (left.isEmpty()) {
            return;
        }
        Departure departure = new Departure(services, function.slot(), limitNanos, true);
        for (BufferAttachment attachment : left) {
            services.report(
                    "CK-6",
                    Severity.WRONG,
                    attachment.owner().owner(),
                    attachment,
                    0,
                    "%s has gone, and %s has not given back %s within %d ms"
                            .formatted(
                                    function.slot(),
                                    attachment.owner(),
                                    attachment,
                                    limitNanos / 1_000_000));
            departure.add(attachment);
        }
        departure.run();
        keep(departure.report());
    }

    private List<BufferAttachment> attachedTo(PcieFunction function) {
        List<BufferAttachment> found = new ArrayList<>();
        for (Buffer buffer : registry.all()) {
            try {
                for (BufferAttachment attachment : buffer.attached().snapshot()) {
                    if (function.equals(attachment.device().function())) {
                        found.add(attachment);
                    }
                }
            } finally {
                buffer.putLater();
            }
        }
        return found;
    }

    private DepartureReport keep(DepartureReport report) {
        if (report.buffers() + report.attachments() + report.fences() != 0
                || !report.unfinished().isEmpty()) {
            lock.lock();
            try {
                if (reports.size() == KEPT) {
                    reports.removeFirst();
                }
                reports.add(report);
            } finally {
                lock.unlock();
            }
            if (services.trace.departed.isOn()) {
                services.trace.departed.emit(
                        new DmaBufEvents.Departed(
                                report.who(),
                                report.buffers(),
                                report.attachments(),
                                report.mappings(),
                                report.fences()));
            }
        }
        return report;
    }

    /** {@return the latest in which there was something to do, oldest first} */
    List<DepartureReport> reports() {
        lock.lock();
        try {
            return List.copyOf(reports);
        } finally {
            lock.unlock();
        }
    }

    /** The core leaves: nobody is waited for any more. */
    void close() {
        List<Timer> left;
        lock.lock();
        try {
            closed = true;
            left = List.copyOf(timers);
            timers.clear();
        } finally {
            lock.unlock();
        }
        left.forEach(Timer::cancel);
    }
}
