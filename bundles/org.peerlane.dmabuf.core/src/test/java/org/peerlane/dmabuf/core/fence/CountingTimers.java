package org.peerlane.dmabuf.core.fence;

import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/** An execution that counts the timers that are set. */
record CountingTimers(Execution inner, int[] timers) implements Execution {
    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        return inner.start(kind, name, body);
    }

    @Override
    public boolean isSimulated() {
        return inner.isSimulated();
    }

    @Override
    public long nanoTime() {
        return inner.nanoTime();
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        inner.sleep(nanos);
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        timers[0]++;
        return inner.schedule(name, delayNanos, action);
    }

    @Override
    public NamedLock lock(String name) {
        return inner.lock(name);
    }

    @Override
    public Checkpoint checkpoint(String name) {
        return inner.checkpoint(name);
    }

    @Override
    public Checkpoints checkpoints() {
        return inner.checkpoints();
    }
}
