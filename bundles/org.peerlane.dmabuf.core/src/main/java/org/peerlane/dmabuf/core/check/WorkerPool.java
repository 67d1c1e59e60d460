package org.peerlane.dmabuf.core.check;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The threads that signal certain timelines, and nobody else does. <b>Threads.</b> Any. */
public final class WorkerPool {
    private final String name;
    private final Set<Thread> members = ConcurrentHashMap.newKeySet();

    /** Without anybody. */
    public WorkerPool(String name) {
        this.name = name;
    }

    /** {@return for reports} */
    public String name() {
        return name;
    }

    /** The calling thread works for it. */
    public void join() {
        members.add(Thread.currentThread());
    }

    /** The calling thread works for it no more. */
    public void leave() {
        members.remove(Thread.currentThread());
    }

    List<Thread> members() {
        members.removeIf(thread -> !thread.isAlive());
        return List.copyOf(members);
    }
}
