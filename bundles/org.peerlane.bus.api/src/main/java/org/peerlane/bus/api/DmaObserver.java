package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Is shown every memory request of every function, when it begins and when it has ended. It only
 * looks: nothing it does changes what becomes of a request. Registered as a service; the bus has
 * room for one, which may come late and leave early.
 *
 * <p><b>A request</b> stays inside one 4 KiB page, begins once and may end piece by piece; what is
 * left of it after a piece may begin anew. A posted write begins when it leaves the function and
 * ends when its bytes are at the target, possibly much later and on another thread. What is dropped
 * from a queue with its function does not end. Translation requests are not shown.
 *
 * <p><b>When.</b> {@link #begins} comes before the request is translated. {@link #ended} comes
 * after the bytes are there, and before the function can know that they are: its call has not
 * returned, nor has a read that pushes the posted write (PC-75). Between the arrival of a posted
 * write and {@link #ended} no simulation switches threads.
 *
 * <p><b>Requester.</b> As in {@link RootComplex}. <b>Threads.</b> Any, inside of transactions: a
 * call must not wait for one. Calls for what is under way may still come when it has left.
 *
 * <p><b>Cost.</b> Per request: no allocation, no lock, no map. Nobody observes: one field read.
 */
@ConsumerType
public interface DmaObserver {
    /** Of {@link #begins}: it is of no interest how this one ends. */
    long NOTHING = 0;

    /**
     * A request begins.
     *
     * @param requester segment, bus, device, function
     * @param attributes see {@link DmaAttributes}: PASID, and whether the function has translated
     *     the address itself
     * @param address what the function puts on the bus
     * @param bytes at least 1
     * @return for {@link #ended}, or {@link #NOTHING}
     */
    long begins(int requester, int attributes, long address, long bytes, boolean write);

    /**
     * A part of it has ended.
     *
     * @param token what {@link #begins} answered
     * @param address where the part begins
     * @param arrived false: nobody took it, or it was refused
     */
    void ended(long token, long address, long bytes, boolean arrived);
}
