package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;

/**
 * The way of any request: as the ports are programmed for, then interrupt controller or IOMMU, then
 * what answers behind it.
 *
 * <p><b>Threads.</b> Any, inside the counted section.
 */
final class RoutedRequest {
    private static final VarHandle SPARE;

    static {
        try {
            SPARE =
                    MethodHandles.lookup()
                            .findVarHandle(
                                    RoutedRequest.class, "spare", DmaTranslation.Target.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Fabric fabric;
    private final Sender sender;
    private final Routes routes;
    private final Completer completer;
    private final Outcomes outcomes;

    /** The answer record of a translation; null while a request has it. */
    @SuppressWarnings("unused") // through SPARE
    private DmaTranslation.@Nullable Target spare = new DmaTranslation.Target();

    RoutedRequest(
            Fabric fabric, Sender sender, Routes routes, Completer completer, Outcomes outcomes) {
        this.fabric = fabric;
        this.sender = sender;
        this.routes = routes;
        this.completer = completer;
        this.outcomes = outcomes;
    }

    /** {@return OK with the bytes it covered, at most {@code bytes}; or why not} */
    long move(
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        Route route = routes.fromFunction((attributes & DmaAttributes.TRANSLATED) != 0, from);
        long most = Routes.most(route, from, bytes);
        return switch (route.end()) {
            case ROOT -> atRoot(from, attributes, local, offset, most, write);
            case MEMORY, REGISTERS -> completer.move(route, from, from, local, offset, most, write);
            case NOBODY, VIOLATION -> outcomes.refusedBy(route, from, most, write);
        };
    }

    /** The request has come to the root complex: interrupt, or IOMMU and memory. */
    private long atRoot(
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        if (InterruptController.inWindow(from)) {
            return completer.interrupt(from, local, offset, bytes, write);
        }
        DmaTranslation iommu = fabric.translation();
        if (iommu == null && !fabric.iommuDeclared) {
            fabric.translated.reached();
            return behindRoot(from, from, local, offset, bytes, write);
        }
        return translate(iommu, from, attributes, local, offset, bytes, write);
    }

    private long translate(
            @Nullable DmaTranslation iommu,
            long from,
            int attributes,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        if (iommu == null) {
            return outcomes.unanswered(from, bytes, write, "the IOMMU is away");
        }
        DmaTranslation.Target into = (DmaTranslation.Target) SPARE.getAndSet(this, null);
        if (into == null) { // another engine of the same function has it
            into = new DmaTranslation.Target();
        }
        int status = sender.translate(iommu, attributes, from, write, into);
        long target = into.physical;
        long covered = Long.compareUnsigned(into.bytes, bytes) < 0 ? into.bytes : bytes;
        SPARE.setRelease(this, into);
        if (status != DmaResult.OK) {
            return outcomes.faulted(from, bytes, write, status);
        }
        fabric.translated.reached();
        return behindRoot(from, target, local, offset, covered, write);
    }

    private long behindRoot(
            long from, long target, MemorySegment local, long offset, long bytes, boolean write) {
        Route route = routes.fromRoot(target);
        long most = Routes.most(route, target, bytes);
        return switch (route.end()) {
            case MEMORY, REGISTERS ->
                    completer.move(route, from, target, local, offset, most, write);
            default -> outcomes.refusedBy(route, from, most, write);
        };
    }
}
