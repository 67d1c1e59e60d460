package org.peerlane.kernel.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What descriptors refer to. Kernel counterpart: {@code struct file}.
 *
 * <p><b>Life.</b> From one reference, its maker's, to the last {@link #put}. Each descriptor holds
 * one. <b>Threads.</b> Any.
 */
@ConsumerType
public interface OpenFile {
    /** For {@link #poll}: can be read. */
    int POLLIN = 0x1;

    /** For {@link #poll}: can be written. */
    int POLLOUT = 0x4;

    /** For {@link #poll}: an error; comes without being asked for. */
    int POLLERR = 0x8;

    /** {@return its kind, for messages, such as {@code dmabuf} or {@code sync_file}} */
    String fileType();

    /** One more holder; the caller knows of one. */
    void get();

    /** {@return whether there is one more holder now; false: the last has let go} */
    boolean getUnlessZero();

    /** One holder less; the last one ends the object. */
    void put();

    /** {@return how many hold it; out of date as soon as it is read} */
    int references();

    /**
     * What can be done now without waiting.
     *
     * @param events a sum of {@link #POLLIN} and {@link #POLLOUT}; other bits are ignored
     * @return those of them that can, and {@link #POLLERR}
     */
    default int poll(int events) {
        return events & (POLLIN | POLLOUT);
    }

    /**
     * As {@link #poll(int)}, and asks to be woken when it may have changed. To be woken does not
     * mean that it has: who is woken polls again.
     *
     * @param waiter waits until it is woken, once, or {@linkplain #cancelPoll cancelled}
     */
    default int poll(int events, PollWaiter waiter) {
        return poll(events);
    }

    /** {@return whether {@code waiter} was waiting} It is not woken from here on. */
    default boolean cancelPoll(PollWaiter waiter) {
        return false;
    }

    /** Is woken when a poll is worth repeating. */
    @FunctionalInterface
    @ConsumerType
    interface PollWaiter {
        /** Polls again, later and elsewhere: this must not sleep. */
        void wake();
    }
}
