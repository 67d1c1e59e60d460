package org.peerlane.dmabuf.core;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.SyncFile;

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

    /** {@return nanoseconds since a fence was published; 0 if that is not known} */
    long ageOf(Fence fence);

    /** {@return the thread that holds a reservation, or null} */
    @Nullable Thread holderOf(Reservation reservation);

    /** {@return the threads that wait for a reservation} */
    List<String> waitersOf(Reservation reservation);
}
