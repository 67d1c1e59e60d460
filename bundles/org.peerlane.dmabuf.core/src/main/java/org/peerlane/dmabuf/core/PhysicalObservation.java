package org.peerlane.dmabuf.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.core.shadow.Entry;
import org.peerlane.dmabuf.core.shadow.Facts;
import org.peerlane.dmabuf.core.shadow.Watched;
import org.peerlane.exec.api.NamedLock;

/**
 * Addresses under which one function reaches physical ranges that its importer was told. They are
 * valid until the importer's callback has returned: nobody waits for fences of theirs.
 *
 * <p><b>Locks.</b> Closing takes the index's. <b>Threads.</b> Any.
 */
final class PhysicalObservation implements Attachment.Observation, Watched {
    private final BufferAttachment attachment;
    private final long id;
    private final Epoch epoch;

    /** Guarded by {@link #lock}. */
    private @Nullable Entry entry;

    private final NamedLock lock;
    private volatile boolean closed;
    private long closedAt;
    private boolean taken;

    PhysicalObservation(BufferAttachment attachment) {
        this.attachment = attachment;
        Services services = attachment.services();
        id = services.mappings.incrementAndGet();
        epoch = attachment.buffer().invalidation().current();
        lock = services.execution.lock("dmabuf.observation");
    }

    /** Says where it is in the index; null: it is not. */
    void entry(@Nullable Entry of) {
        lock.lock();
        try {
            entry = of;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public MappingState seen() {
        if (closed) {
            return MappingState.UNMAPPED;
        }
        return attachment.isTold(epoch.generation) ? MappingState.STALE_IDLE : MappingState.VALID;
    }

    @Override
    public boolean begins() {
        return attachment.isTold(epoch.generation);
    }

    @Override
    public Facts facts() {
        boolean gone = closed;
        return Observed.facts(attachment, id, epoch, gone ? closedAt : 0, gone && taken);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closedAt = attachment.services().execution.nanoTime();
                taken = attachment.buffer().revocation().isTaken();
                closed = true;
                Entry observed = entry;
                if (observed != null) {
                    attachment.services().observed().remove(observed, facts());
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
