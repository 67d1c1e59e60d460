package org.peerlane.exporter.vfio;

import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.EventFd;
import org.peerlane.kernel.api.OpenFile;

/**
 * Does something whenever somebody has added to an eventfd: once for all that was added meanwhile.
 *
 * <p><b>Life.</b> Until {@link #close}, with a reference of the eventfd; an action that is under
 * way then goes on. <b>Threads.</b> The action runs on a thread of its own, since whoever adds must
 * not sleep.
 */
final class EventFdWatch implements OpenFile.PollWaiter, AutoCloseable {
    private final Execution execution;
    private final String name;
    private final EventFd event;
    private final Runnable action;
    private volatile boolean closed;

    /**
     * Begins; what had been added before counts.
     *
     * @param name of the thread
     */
    static EventFdWatch begin(Execution execution, String name, EventFd event, Runnable action) {
        event.get();
        EventFdWatch watch = new EventFdWatch(execution, name, event, action);
        watch.listen();
        return watch;
    }

    private EventFdWatch(Execution execution, String name, EventFd event, Runnable action) {
        this.execution = execution;
        this.name = name;
        this.event = event;
        this.action = action;
    }

    private void listen() {
        if (event.poll(OpenFile.POLLIN, this) != 0 && event.cancelPoll(this)) {
            wake(); // it was added to before
        }
    }

    @Override
    public void wake() {
        execution.start(ThreadKind.BLOCKING, name, this::signaled);
    }

    private void signaled() {
        if (!closed && event.take() != 0) {
            action.run();
        }
        if (!closed) {
            listen();
        }
    }

    @Override
    public void close() {
        closed = true;
        event.cancelPoll(this);
        event.put();
    }
}
