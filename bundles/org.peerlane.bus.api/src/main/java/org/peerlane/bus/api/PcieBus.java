package org.peerlane.bus.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/** The device bus of the machine, as software sees it. <b>Threads.</b> Any. */
@ProviderType
public interface PcieBus {
    /** {@return the functions that are present, by address; an immutable snapshot} */
    List<PcieFunction> functions();

    /**
     * Waits until nothing is under way: every device that came or went has been enumerated, and
     * every driver has been asked.
     *
     * @param timeoutNanos the longest to wait
     * @return whether that point was reached
     * @throws InterruptedException the waiting thread was interrupted
     */
    boolean settle(long timeoutNanos) throws InterruptedException;

    /**
     * {@return how {@code client} reaches the BARs of {@code provider}} Computed anew at each call.
     */
    default PeerRoute peerRoute(PcieFunction provider, PcieFunction client) {
        return PeerRoute.none("this bus knows no routes between peers");
    }

    /**
     * {@return the functions that can reach each other behind the IOMMU's back, and so must have
     * one owner, by address (IM-11); none if the function has left} Computed anew at each call.
     */
    List<PcieFunction> isolationGroup(PcieFunction function);

    /**
     * {@return a BAR as memory for peers (PP-6)}
     *
     * @param index 0 to 5
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} there is no memory BAR of that
     *     index with an address
     */
    PeerProvider peerProvider(PcieFunction function, int index);

    /** {@return the name of the driver that a function has; null: none, or the function is gone} */
    default @Nullable String driver(PcieFunction function) {
        return null;
    }

    /**
     * Says which driver a function is for: from now on the driver of that name is the only one that
     * is offered it, whatever it matches. The driver that it has stays until {@link #unbindDriver}.
     * Forgotten when the function leaves. Kernel counterpart: {@code driver_override}.
     *
     * @param name null: any driver that matches, as before
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} the function is gone
     */
    default void overrideDriver(PcieFunction function, @Nullable String name) {
        throw new ErrnoException(Errno.ENODEV, function.slot() + " is not of this bus");
    }

    /**
     * Takes a function from its driver, and returns when the driver has left it. It stays without
     * one until {@link #bindDriver}, or until a driver comes to the machine that takes it.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} it has no driver, or is gone;
     *     {@code ETIMEDOUT} the driver takes its time, and goes on with it
     */
    default void unbindDriver(PcieFunction function) {
        throw new ErrnoException(Errno.ENODEV, function.slot() + " has no driver");
    }

    /**
     * Offers a function that has no driver to those that there are, and returns when one has taken
     * it. Kernel counterpart: {@code drivers_probe}.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} nobody took it, or it is gone;
     *     {@code EBUSY} it has a driver; {@code ETIMEDOUT} the driver takes its time
     */
    default void bindDriver(PcieFunction function) {
        throw new ErrnoException(Errno.ENODEV, "no driver takes " + function.slot());
    }

    /**
     * Tells what memory of a device the CPU reaches at all of these addresses, now and whenever
     * that changes: over ports and BARs that decode, outside of resets. Whoever switches a BAR off,
     * resets its function or takes it out has told before the hardware is touched. Nothing is told
     * until there is such memory. Accesses to it are in no trace.
     *
     * @param range as the CPU addresses it, inside one BAR
     */
    default void watchMemory(AddressRange<PhysicalAddress> range, MemoryWatcher watcher) {}

    /** It is not told any more when this returns, and may keep nothing that it was told. */
    default void unwatchMemory(MemoryWatcher watcher) {}

    /**
     * A load of the CPU's, by physical address: RAM, config space (ECAM), or a BAR.
     *
     * @param bytes 1, 2, 4 or 8, naturally aligned
     * @return the value; all-ones where nobody answers
     */
    long load(long physical, int bytes);

    /**
     * A store of the CPU's, by physical address; dropped where nobody answers.
     *
     * @param bytes 1, 2, 4 or 8, naturally aligned
     * @param value only the low {@code bytes} count
     */
    void store(long physical, int bytes, long value);

    /**
     * Reads from I/O space, as the CPU's {@code in}.
     *
     * @param port its number, 32 bits
     * @param bytes 1, 2 or 4, naturally aligned
     * @return the value; all-ones where nobody answers
     */
    long in(long port, int bytes);

    /**
     * Writes to I/O space, as the CPU's {@code out}; without effect where nobody answers.
     *
     * @param port its number, 32 bits
     * @param bytes 1, 2 or 4, naturally aligned
     * @param value only the low {@code bytes} count
     */
    void out(long port, int bytes, long value);

    /**
     * Takes a device out in order, as after a press of the attention button (PC-70): its driver
     * leaves first. The slot stays empty until {@link #plug}. A switch goes with everything below.
     *
     * @param slot the board's name of it, or of a switch, or of the port that has one below
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} there is no such slot; {@code
     *     EBUSY} it is empty, or the slot's power indicator blinks already
     */
    void eject(String slot);

    /**
     * Pulls a device out by surprise (PC-68). The slot stays empty until {@link #plug}. A switch
     * goes with everything below.
     *
     * @param slot the board's name of it, or of a switch, or of the port that has one below
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} there is no such slot; {@code
     *     EBUSY} it is empty
     */
    void pull(String slot);

    /**
     * Puts the device back into a slot that {@link #eject} or {@link #pull} has emptied; or a
     * switch, with what is in its slots.
     *
     * @param slot the board's name of it, or of a switch, or of the port that has one below
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} there is no such slot; {@code
     *     EBUSY} it is not empty
     */
    void plug(String slot);
}
