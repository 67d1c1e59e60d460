package org.peerlane.dmabuf.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;

/**
 * The attachments of a buffer, in the order in which they came.
 *
 * <p><b>Locks.</b> Changes come under the reservation; the list lock lets people look without it.
 */
final class AttachmentList {
    private final NamedLock lock;

    /** Guarded by lock, as all below. */
    private final Set<BufferAttachment> listed = new LinkedHashSet<>(0);

    /** Attachments that the exporter knows or is being asked about. */
    private int known;

    /** Made by who waits first. */
    private @Nullable Condition forgotten;

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

    /** The exporter is asked about one more. */
    void asking() {
        lock.lock();
        try {
            known++;
        } finally {
            lock.unlock();
        }
    }

    /** The exporter has refused one, or has been told that it was detached. */
    void forgot() {
        lock.lock();
        try {
            known--;
            Condition waited = forgotten;
            if (known == 0 && waited != null) {
                waited.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the exporter knows none, so that what it keeps for all of them can go. */
    void awaitForgotten() {
        lock.lock();
        try {
            while (known != 0) {
                Condition waited = forgotten;
                if (waited == null) {
                    waited = lock.newCondition("forgotten");
                    forgotten = waited;
                }
                waited.awaitUninterruptibly();
            }
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
