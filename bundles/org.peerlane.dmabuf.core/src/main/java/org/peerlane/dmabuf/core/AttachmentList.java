package org.peerlane.dmabuf.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.peerlane.exec.api.NamedLock;

/**
 * The attachments of a buffer, in the order in which they came.
 *
 * <p><b>Locks.</b> Changes come under the reservation; the list lock lets people look without it.
 */
final class AttachmentList {
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Set<BufferAttachment> listed = new LinkedHashSet<>(0);

    AttachmentList(NamedLock lock) {
        this.lock = lock;
    }

    /** [held: reservation] */
    void add(BufferAttachment attachment) {
        lock.lock();
        try {
            listed.add(attachment);
        } finally {
            lock.unlock();
        }
    }

    /** [held: reservation] {@return whether it was there} */
    boolean remove(BufferAttachment attachment) {
        lock.lock();
        try {
            return listed.remove(attachment);
        } finally {
            lock.unlock();
        }
    }

    /** {@return a copy} */
    List<BufferAttachment> snapshot() {
        lock.lock();
        try {
            return List.copyOf(listed);
        } finally {
            lock.unlock();
        }
    }
}
