package org.peerlane.dmabuf.core.check;

import java.util.List;

/** What has to happen before something {@link Awaited} ends. */
public sealed interface Need {
    /**
     * Somebody has to take a lock first.
     *
     * @param lock a {@link HeldLock} or a {@code NamedLock}
     * @param transaction whether as one of several, by a transaction
     */
    record Lock(Object lock, boolean transaction) implements Need {}

    /** Something else has to end first. */
    record Work(Awaited work) implements Need {}

    /** One of these threads has to come to it. */
    record Worker(WorkerPool pool) implements Need {}

    /** One of these has to end. */
    record Either(List<Awaited> works) implements Need {}

    /**
     * This thread is likely to be the one that has to act. Only people are told.
     *
     * @param what for whom, such as {@code mapping 3 of nvme0 (nvme)}
     */
    record Likely(Thread thread, String what) implements Need {}
}
