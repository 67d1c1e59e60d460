package org.peerlane.dmabuf.core;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.dmabuf.core.shadow.OtherMappings;
import org.peerlane.dmabuf.core.shadow.ShadowIndex;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.trace.api.Tracer;

/** What all parts of the core share. <b>Threads.</b> Any. */
final class Services {
    final Execution execution;
    final Checks checks;
    final Profile profile;
    final DmaBufTrace trace;
    final Points points;
    final Callouts callouts;
    final DeferredPuts puts;
    final Primitives primitives;

    /** Whose code stands in for that of who has left. */
    final Callee self;

    final Quarantine quarantine;

    /** Null: nobody looks at DMA. */
    final @Nullable ShadowIndex shadow;

    /** Null on a machine whose processes map nothing. */
    final @Nullable AddressSpaces spaces;

    /** Answers null while there is no bus. */
    final Supplier<@Nullable PcieBus> bus;

    final AtomicLong buffers = new AtomicLong();
    final AtomicLong attachments = new AtomicLong();
    final AtomicLong mappings = new AtomicLong();

    Services(
            Execution execution,
            Tracer tracer,
            Checks checks,
            Profile profile,
            Primitives primitives,
            @Nullable AddressSpaces spaces,
            Supplier<@Nullable PcieBus> bus,
            Supplier<@Nullable Iommu> iommu) {
        this.execution = execution;
        this.checks = checks;
        this.profile = profile;
        this.primitives = primitives;
        this.spaces = spaces;
        this.bus = bus;
        trace = new DmaBufTrace(tracer);
        points = new Points(execution);
        puts = new DeferredPuts(execution);
        callouts = new Callouts(execution, checks);
        self = new Callee("org.peerlane.dmabuf.core", execution);
        quarantine = new Quarantine(execution, trace, iommu);
        shadow =
                checks.isOn()
                        ? new ShadowIndex(execution, checks.violations(), OtherMappings.of(iommu))
                        : null;
    }

    /** {@return the index, of whoever is in it} */
    ShadowIndex observed() {
        return Objects.requireNonNull(shadow);
    }

    void report(String rule, Severity severity, String owner, Buffer buffer, String sentence) {
        checks.violations().report(rule, severity, owner, buffer.id(), 0, 0, sentence);
    }

    void report(
            String rule,
            Severity severity,
            String owner,
            BufferAttachment attachment,
            long mapping,
            String sentence) {
        checks.violations()
                .report(
                        rule,
                        severity,
                        owner,
                        attachment.buffer().id(),
                        attachment.id(),
                        mapping,
                        sentence);
    }

    /** {@return what to throw} Reports a mistake that cannot be survived: the kernel's BUG. */
    IllegalStateException broken(String rule, String owner, Buffer buffer, String sentence) {
        report(rule, Severity.FATAL, owner, buffer, sentence);
        return new IllegalStateException(rule + ": " + sentence);
    }

    /**
     * [held] Reports who calls without the reservation.
     *
     * @param owner empty: found out
     */
    void requireHeld(Buffer buffer, String owner, String what) {
        if (!buffer.reservation().isHeld()) {
            report(
                    "CK-16",
                    Severity.FATAL,
                    owner.isEmpty() ? Callers.outside() : owner,
                    buffer,
                    "%s of %s without its reservation; expected it held".formatted(what, buffer));
        }
    }

    /**
     * [free] Reports who calls with the reservation held, where that may do.
     *
     * @param owner empty: found out
     */
    void requireFree(Buffer buffer, String owner, String what) {
        if (buffer.reservation().isHeld()) {
            report(
                    "CK-17",
                    Severity.FATAL,
                    owner.isEmpty() ? Callers.outside() : owner,
                    buffer,
                    "%s of %s with its reservation held; expected it free".formatted(what, buffer));
        }
    }

    /**
     * [free] Refuses who calls with the reservation held, where it would wait for itself.
     *
     * @throws IllegalStateException it is held
     */
    void refuseHeld(String rule, Buffer buffer, String owner, String what) {
        if (buffer.reservation().isHeld()) {
            throw broken(
                    rule,
                    owner,
                    buffer,
                    "%s of %s with its reservation held, for which it would wait for ever"
                            .formatted(what, buffer));
        }
    }
}
