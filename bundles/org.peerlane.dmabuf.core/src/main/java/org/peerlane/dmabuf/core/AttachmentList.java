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

    /** The exporter is asked about no more. */
    private boolean leaving;

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

    /** The exporter is asked about one more. {@return false: it is not, for it leaves} */
    boolean asking() {
        lock.lock();
        try {
            if (leaving) {
                return false;
            }
            known++;
            return true;
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

    /**
     * The exporter leaves: it is asked about no more, and what it keeps for any of them can go when
     * this returns.
     */
    void awaitForgotten() {
        lock.lock();
        try {
            leaving = true;
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
