package org.peerlane.memory.core;

import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/** The locks of an execution and nothing else: memory needs no more. */
final class PlainExecution implements Execution {
    @Override
    public NamedLock lock(String name) {
        return new NamedLock(name) {};
    }

    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long nanoTime() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void sleep(long nanos) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Checkpoint checkpoint(String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Checkpoints checkpoints() {
        throw new UnsupportedOperationException();
    }
}
