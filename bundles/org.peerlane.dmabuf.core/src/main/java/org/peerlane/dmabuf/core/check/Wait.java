package org.peerlane.dmabuf.core.check;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A thread waits. <b>Life.</b> As long as it does. <b>Threads.</b> Read by any. */
final class Wait {
    final Thread thread = Thread.currentThread();

    /** A {@link HeldLock}, a {@code NamedLock} or something {@link Awaited}. */
    final Object what;

    /** The transaction by which it wants the lock, or null. */
    final @Nullable Object transaction;

    /** Whether the transaction may give way. */
    final boolean mayGiveWay;

    /** The wait of this thread that this one is part of. */
    final @Nullable Wait outer;

    /** Whether a cycle that it is part of has been reported. */
    final AtomicBoolean reported = new AtomicBoolean();

    Wait(Object what, @Nullable Object transaction, boolean mayGiveWay, @Nullable Wait outer) {
        this.what = what;
        this.transaction = transaction;
        this.mayGiveWay = mayGiveWay;
        this.outer = outer;
    }
}
