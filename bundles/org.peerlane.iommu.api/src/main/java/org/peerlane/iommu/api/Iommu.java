package org.peerlane.iommu.api;

import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;

/**
 * The IOMMU, as owners of address spaces see it: domains, and which function is in which. Drivers
 * use {@link DmaApi}. Kernel counterpart: {@code include/linux/iommu.h}.
 *
 * <p><b>Contexts.</b> A function that was never attached has none, and all its DMA faults (IM-3). A
 * function behind a bridge to PCI is known by the bridge's requester id (IM-2). Which functions
 * must share an owner is the bus's to say.
 *
 * <p><b>Switching.</b> {@link #attach}, {@link #replace} and {@link #detach} return when nothing
 * uses the domain before any more.
 *
 * <p><b>Threads.</b> Any, but never from inside a transaction. <b>Locks.</b> One for changes of
 * contexts; it is held while device TLBs are waited for.
 */
@ProviderType
public interface Iommu {
    /** For a PASID: requests without one. */
    int NO_PASID = -1;

    /**
     * Makes a paging domain.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EOPNOTSUPP} the hardware has no such
     *     width, or the format no such ability; {@code ENOMEM} no memory for the top table
     */
    IommuDomain newDomain(DomainSpec spec);

    /** {@return the domain that translates nothing} */
    IommuDomain identity();

    /** {@return the domain that blocks everything} */
    IommuDomain blocked();

    /** {@return a paging domain like those that {@link DmaApi} uses} */
    DomainSpec defaultSpec();

    /**
     * {@return the domain that DMA-API mappings of a function go to, made at the first call}
     * Identity in pass-through mode.
     */
    IommuDomain defaultDomain(PcieAddress function);

    /** {@return where requests of a function go now} */
    Optional<IommuDomain> domainOf(PcieAddress function, int pasid);

    /**
     * Puts a function, or one PASID of it, into a domain.
     *
     * @param pasid or {@link #NO_PASID}
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBUSY} it is in a domain other than its
     *     default; {@code EINVAL} the function has a DIRECT range and must not be blocked (PT-71),
     *     the PASID is no such number, PASID is not enabled, or the domain is not of this IOMMU
     */
    void attach(PcieAddress function, int pasid, IommuDomain domain);

    /**
     * The same, whatever it is in now, with no moment in between at which it is in none.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} as {@link #attach}
     */
    void replace(PcieAddress function, int pasid, IommuDomain domain);

    /**
     * Takes a function out of its domain: back to its default one if that was ever made, or to
     * none. What is in flight has ended, page requests have been answered (PT-64).
     */
    void detach(PcieAddress function, int pasid);

    /**
     * Switches PASID on or off, at the function and here.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the function has no such
     *     capability; {@code EBUSY} ATS is on (IM-16), or a PASID is attached
     */
    void enablePasid(PcieFunction function, boolean on);

    /**
     * Switches ATS on or off, at the function and here; off invalidates its device TLB first.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the function has no such
     *     capability; {@code EBUSY} off while PRI is on
     */
    void enableAts(PcieFunction function, boolean on);

    /**
     * Switches page requests on or off, at the function and here.
     *
     * @param outstanding how many requests the function may have open; 0 is off
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the function has no such
     *     capability, or ATS is off
     */
    void enablePri(PcieFunction function, int outstanding);

    /** {@return the IOVAs that a function must not be given, lowest first} */
    List<ReservedRange> reservedRanges(PcieAddress function);

    /** {@return the last faults, oldest first; a bounded log} */
    List<FaultRecord> faults();

    /** {@return how many faults were dropped because the record slots were full (IM-7)} */
    long faultsLost();

    /**
     * Makes an interrupt message of a function one that passes the remapping table (IM-9).
     *
     * @param address as the CPU wants it, in the interrupt window
     * @param data as the CPU wants it
     * @return address in the high word, data in the low word of the message that the function shall
     *     send; the same as given while remapping is off
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOSPC} the table is full; {@code
     *     EINVAL} the address is not in the window
     */
    long remapInterrupt(PcieAddress function, long address, int data);

    /**
     * Gives the entry behind a message back; from then on it is blocked.
     *
     * @param message what {@link #remapInterrupt} answered
     */
    void unmapInterrupt(long message);
}
