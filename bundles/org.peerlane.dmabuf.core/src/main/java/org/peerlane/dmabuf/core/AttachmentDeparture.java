package org.peerlane.dmabuf.core;

import java.util.Set;
import org.peerlane.exec.api.Execution;

/**
 * The importer of an attachment leaves, or its device has gone: DMA stops, mappings and pins are
 * taken back, and it is detached.
 *
 * <p><b>Order.</b> As {@link BufferDeparture}. A dynamic importer is told, and its fences are
 * waited for; of one without a callback nobody can know when its device has ended, so the device is
 * stopped.
 */
final class AttachmentDeparture {
    private final BufferAttachment attachment;
    private final Buffer buffer;
    private final Execution execution;
    private final Toll toll;

    AttachmentDeparture(BufferAttachment attachment, Toll toll) {
        this.attachment = attachment;
        buffer = attachment.buffer();
        execution = buffer.services().execution;
        this.toll = toll;
    }

    /** [free] Its importer has been told that it is to stop. */
    void tell() {
        if (attachment.isRevocable()) {
            buffer.reservation().lock(null);
            try {
                if (attachment.life() == BufferAttachment.Life.LISTED) {
                    buffer.invalidation().tellLeaving(attachment);
                }
            } finally {
                buffer.reservation().unlock();
            }
        }
    }

    /** {@return whether its device does not use the buffer any more} */
    boolean awaitIdle(long deadline) {
        String owner = attachment.owner().owner();
        while (toll.isBusy(buffer, owner)) {
            if (deadline - execution.nanoTime() <= 0) {
                return false;
            }
            toll.awaitOne(buffer, owner, deadline);
        }
        return attachment.isRevocable()
                ? attachment.inFlight() <= 0
                : attachment.mappingCount().get() == 0 && attachment.physicalMappings() == 0;
    }

    void cutOff() {
        toll.cutOff(
                attachment,
                "%s leaves and has not stopped its use of %s"
                        .formatted(attachment.owner(), buffer));
        toll.abandon(buffer, Set.of(attachment.owner().owner()));
    }

    /** [free] Takes back what it has, and detaches. */
    void finish() {
        buffer.reservation().lock(null);
        try {
            toll.tookBack(attachment.takeBack());
        } finally {
            buffer.reservation().unlock();
        }
        buffer.services().points.departureTakenBack.reached();
        attachment.owner().detachFor(attachment);
    }

    @Override
    public String toString() {
        return attachment.toString();
    }
}
