package org.peerlane.dmabuf.core;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.dmabuf.core.resv.Moves;
import org.peerlane.kernel.api.Errno;

/** Where buffers get reservations and fences from. <b>Threads.</b> Any. */
interface Primitives {
    /** {@return a new reservation; for a buffer's number, or 0 for several} */
    Reservation reservation(String name, String owner, long buffer);

    /** Lets go of the fences of a reservation that nobody uses any more. */
    void destroy(Reservation reservation);

    /** {@return a new transaction of this thread} */
    AcquireContext acquire(String owner);

    /** {@return where one owner makes its fences} */
    Fences fences(String owner);

    /** {@return a sync file around a fence; it takes a reference of its own} */
    SyncFile syncFile(Fence fence);

    /** {@return who made a fence; empty if that is not known} */
    String ownerOf(Fence fence);

    /** {@return whether a fence, or one that it is made of, is an owner's and has not signaled} */
    boolean isOfAny(Fence fence, Set<String> owners);

    /**
     * Signals a fence, or those that it is made of, if they are one of these owners'.
     *
     * @return how many had not signaled
     */
    int abandon(Fence fence, Set<String> owners, Errno why);

    /** Some callbacks of fences never run; they are taken off whatever they wait for. */
    int forgetCallbacks(Predicate<FenceCallback> which);

    /**
     * An owner leaves: its fences signal with an error, its operations are not called any more.
     *
     * @return fences that had not signaled
     */
    int depart(Fences owner, Errno why);

    /** {@return whether nobody is inside of the owner's operations any more, by then} */
    boolean awaitDeparted(Fences owner, long nanos) throws InterruptedException;

    /** The core leaves. */
    void close();

    /** {@return nanoseconds since a fence was published; 0 if that is not known} */
    long ageOf(Fence fence);

    /** Tells somebody of the moves of what a reservation guards, or does so no more. */
    void watchMoves(Reservation reservation, Moves watcher, boolean on);

    /** {@return the thread that holds a reservation, or null} */
    @Nullable Thread holderOf(Reservation reservation);

    /** {@return the threads that wait for a reservation} */
    List<String> waitersOf(Reservation reservation);
}
