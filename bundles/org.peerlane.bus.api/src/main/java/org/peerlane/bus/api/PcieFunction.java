package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * A function as software on the CPU sees it. Kernel counterpart: {@code struct pci_dev}.
 *
 * <p><b>Life.</b> Until the function leaves; after that reads answer all-ones and writes are
 * dropped, as of any absent function (PC-4). <b>Threads.</b> Any.
 */
@ProviderType
public interface PcieFunction {
    /** {@return where it is} */
    PcieAddress address();

    /**
     * {@return the board's name of its slot, such as {@code edu0}; {@code edu0.vf1} a virtual one}
     */
    String slot();

    /** {@return the vendor id, as config space says; a virtual function's reads ones there} */
    int vendorId();

    /** {@return the device id, as config space says; a virtual function's reads ones there} */
    int deviceId();

    /** {@return base class, sub-class and programming interface: 24 bits} */
    int classCode();

    /** {@return whether the function is still there} */
    boolean isPresent();

    /**
     * Reads config space.
     *
     * @param offset 0 to 4095
     * @param bytes 1, 2 or 4, inside one dword (PC-3)
     * @return the value, or all-ones
     */
    long readConfig(int offset, int bytes);

    /**
     * Writes config space.
     *
     * @param offset 0 to 4095
     * @param bytes 1, 2 or 4, inside one dword (PC-3)
     * @param value only the low {@code bytes} count
     */
    void writeConfig(int offset, int bytes, long value);

    /**
     * {@return where a memory BAR is, as the CPU addresses it}
     *
     * @param index 0 to 5; {@link RomLayout#INDEX}: the expansion ROM
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} the function has no such BAR
     */
    AddressRange<PhysicalAddress> bar(int index);

    /**
     * Gives a resizable BAR another size, and itself and the function's other BARs new addresses as
     * needed: ask {@link #bar} afterwards. Kernel counterpart: {@code pci_resize_resource}.
     *
     * @param index 0 to 5
     * @param bytes one of the sizes that the function offers
     * @throws org.peerlane.kernel.api.ErrnoException {@code EOPNOTSUPP} the BAR has one size only;
     *     {@code EINVAL} it does not offer this size; {@code EBUSY} memory decode is on; {@code
     *     ENOSPC} there are no addresses for it, and everything is as it was
     */
    default void resizeBar(int index, long bytes) {
        throw new ErrnoException(
                Errno.EOPNOTSUPP, "BAR %d of %s has one size only".formatted(index, slot()));
    }

    /**
     * {@return where a BAR of I/O space is}
     *
     * @param index 0 to 5
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} the function has no such BAR
     */
    default IoPorts ports(int index) {
        throw new ErrnoException(
                Errno.ENODEV, "%s has no BAR %d in I/O space".formatted(slot(), index));
    }

    /**
     * Reads a register of a BAR, in memory or in I/O space.
     *
     * @param index 0 to 5; {@link RomLayout#INDEX}: the expansion ROM
     * @param offset in the BAR
     * @param bytes 1, 2, 4 or, in memory, 8; naturally aligned
     * @return the value; all-ones where nobody decodes (PC-66)
     */
    long read(int index, long offset, int bytes);

    /**
     * Writes a register of a BAR, in memory or in I/O space; dropped where nobody decodes.
     *
     * @param index 0 to 5
     * @param offset in the BAR
     * @param bytes 1, 2, 4 or, in memory, 8; naturally aligned
     * @param value only the low {@code bytes} count
     */
    void write(int index, long offset, int bytes, long value);

    /** Sets or clears Command.MSE and Command.BME. */
    void enable(boolean memory, boolean busMaster);

    /**
     * Waits until nothing that the function has sent is on its way; what it sends meanwhile does
     * not count. Not from inside of a transaction. Kernel counterpart: {@code
     * pci_wait_for_pending_transaction()}, which does not see posted writes.
     */
    default void waitForPendingTransactions() {}

    /** Sets or clears Command.IOSE: whether the BARs in I/O space decode. */
    default void enablePorts(boolean on) {
        writeConfig(0x04, 2, readConfig(0x04, 2) & ~1L | (on ? 1 : 0));
    }

    /**
     * Programs one vector to call a handler, and switches message-signalled interrupts on.
     *
     * @param vector from 0
     * @param handler runs on a thread of the interrupt controller's; must not block
     * @return takes the vector back; when it returns, the handler does not run any more
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the function has no such
     *     vector; {@code EBUSY} it has a handler; {@code ENODEV} the function is gone
     */
    AutoCloseable requestInterrupt(int vector, Runnable handler);

    /**
     * {@return how many vectors of a kind the function has; 1 of {@code INTX} if it has a line} A
     * driver that leaves the choice to the bus gets the last kind that has any.
     */
    default int vectors(InterruptKind kind) {
        return 0;
    }

    /**
     * As {@link #requestInterrupt(int, Runnable)}, by a kind of the driver's choice. Only one kind
     * can be in use.
     *
     * @throws org.peerlane.kernel.api.ErrnoException as there; {@code EBUSY} another kind is in use
     */
    default AutoCloseable requestInterrupt(InterruptKind kind, int vector, Runnable handler) {
        throw new ErrnoException(
                Errno.EINVAL, "%s has no vector %d of %s".formatted(slot(), vector, kind));
    }
}
