package org.peerlane.dmabuf.core;

import java.util.HashSet;
import java.util.Set;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.FenceUsage;

/**
 * The exporter of a buffer leaves: a revoke for good, which has a time limit, and after which the
 * exporter has nothing to do with it any more.
 *
 * <p><b>Order.</b> {@link #tell}; {@link #awaitIdle}; what is late then is {@link #cutOff}; {@link
 * #finish}. The first and the last may be stuck in plugins' code; the other two take no reservation
 * and call nobody.
 */
final class BufferDeparture {
    private final Buffer buffer;
    private final Services services;
    private final Toll toll;

    /** What the exporter's were before. */
    private final DmaBufOperations operations;

    BufferDeparture(Buffer buffer, Toll toll) {
        this.buffer = buffer;
        services = buffer.services();
        this.toll = toll;
        operations = buffer.exporter().operations();
    }

    /** [free] No new access from here on; every importer has been told. */
    void tell() {
        buffer.revocation().exporterLeaves();
    }

    /** {@return whether nobody uses it any more} */
    boolean awaitIdle(long deadline) {
        long left = Math.max(0, deadline - services.execution.nanoTime());
        boolean signaled =
                buffer.reservation().testSignaled(FenceUsage.BOOKKEEP)
                        || left > 0
                                && buffer.reservation()
                                                .waitTimeout(FenceUsage.BOOKKEEP, false, left)
                                        > 0;
        return signaled && buffer.mapped().awaitEmpty(deadline, services.execution::nanoTime);
    }

    /** Devices that still use it are stopped, and fences of their bundles do not count any more. */
    void cutOff() {
        Set<String> owners = new HashSet<>();
        owners.add(buffer.owner().owner());
        for (BufferAttachment attachment : buffer.attached().snapshot()) {
            String owner = attachment.owner().owner();
            owners.add(owner);
            boolean mapped = attachment.mappingCount().get() != 0;
            if (mapped || toll.isBusy(buffer, owner)) {
                toll.cutOff(
                        attachment,
                        "it %s %s, whose exporter %s has left"
                                .formatted(
                                        mapped ? "has not unmapped" : "has not stopped using",
                                        buffer,
                                        buffer.owner()));
            }
        }
        toll.abandon(buffer, owners);
    }

    /** [free] Takes back what is left, and lets the exporter free its storage. */
    void finish() {
        buffer.reservation().lock(null);
        try {
            for (BufferAttachment attachment : buffer.attached().snapshot()) {
                toll.tookBack(attachment.takeBack());
            }
            buffer.revocation().exporterHasLeft();
        } finally {
            buffer.reservation().unlock();
        }
        services.points.departureTakenBack.reached();
        buffer.revocation().endProcesses();
        for (BufferAttachment attachment : buffer.attached().snapshot()) {
            attachment.tellDetached();
            attachment.exporterPrivate(null);
        }
        buffer.attached().awaitForgotten(); // others may be detaching or attaching just now
        boolean used = buffer.mapped().size() != 0 || buffer.kernelMap().count() != 0;
        if (!used) {
            buffer.freeStorage();
        }
        instead(used);
    }

    /** The exporter's code is not called any more, but maybe to free its storage. */
    void abandoned() {
        if (!(buffer.exporter().operations() instanceof Tombstones)) {
            instead(true);
        }
    }

    private void instead(boolean used) {
        boolean kept = used && !buffer.isStorageFree();
        buffer.exporter(
                new Exporter(new Tombstones(services, kept ? operations : null), services.self));
    }

    @Override
    public String toString() {
        return buffer.toString();
    }
}
