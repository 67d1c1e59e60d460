package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;

/**
 * Does what can only be done once fences have signaled, such as to free memory; whatever can be
 * done is done, also while something else still waits. Kernel counterpart: TTM's delayed delete.
 *
 * <p><b>Life.</b> Until {@link #close}, which does what is left. <b>Threads.</b> Any adds; one of
 * its own does it, with no lock held.
 */
final class Reaper {
    /** Something to do. */
    private record Item(Dependencies waits, Runnable work) {}

    private final Doorbell bell;
    private final NamedLock lock;
    private final EmulatedThread thread;

    /** Guarded by lock. */
    private final List<Item> items = new ArrayList<>();

    /** Guarded by lock. */
    private boolean closed;

    Reaper(Execution execution, String name) {
        bell = new Doorbell(execution, "gpu.reaper.bell");
        lock = execution.lock("gpu.reaper");
        thread = execution.start(ThreadKind.BLOCKING, name + ".reaper", this::loop);
    }

    /**
     * Does something later, or at once if it has closed.
     *
     * @param waits after these; a reference of each goes here
     */
    void add(List<Fence> waits, Runnable work) {
        Item item = new Item(new Dependencies(waits, bell), work);
        lock.lock();
        try {
            if (!closed) {
                items.add(item);
                bell.ring();
                return;
            }
        } finally {
            lock.unlock();
        }
        item.waits().drop();
        work.run();
    }

    private void loop() {
        try {
            while (true) {
                bell.await();
                for (Item item = ready(); item != null; item = ready()) {
                    item.work().run();
                }
                if (isClosed()) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            // whoever closes does the rest
        }
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Item ready() {
        lock.lock();
        try {
            for (Iterator<Item> all = items.iterator(); all.hasNext(); ) {
                Item item = all.next();
                if (item.waits().areSignaled()) {
                    all.remove();
                    return item;
                }
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** Ends. What still waits is done now: nobody's fence counts any more. */
    void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        bell.ring();
        thread.joinUninterruptibly();
        List<Item> left;
        lock.lock();
        try {
            left = List.copyOf(items);
            items.clear();
        } finally {
            lock.unlock();
        }
        for (Item item : left) {
            item.waits().drop();
            item.work().run();
        }
    }
}
