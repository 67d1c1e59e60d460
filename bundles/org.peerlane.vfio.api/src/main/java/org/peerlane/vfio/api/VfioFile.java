package org.peerlane.vfio.api;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.kernel.api.EventFd;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;

/**
 * An open file on a function. Kernel counterpart: what {@code VFIO_GROUP_GET_DEVICE_FD} returns.
 *
 * <p><b>Life.</b> From {@link VfioDevice#open} to the last put. When the function leaves or is
 * unbound, each call answers {@code ENODEV}.
 *
 * <p><b>Locks.</b> Each function has one, the kernel's {@code memory_lock}: whatever disables or
 * resets its memory holds it, and so do accesses of its BARs. Who disables waits, with it held,
 * until importers of exported buffers have let go (VF-74).
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public interface VfioFile extends OpenFile {
    /** Index of the first BAR; the others follow. */
    int BAR0 = 0;

    /** Index of the expansion ROM. */
    int ROM = 6;

    /** Index of config space. */
    int CONFIG = 7;

    /** Index of legacy VGA, which no function here has. */
    int VGA = 8;

    /** How many regions there are. */
    int REGIONS = 9;

    /** How many kinds of interrupts there are. */
    int IRQS = 5;

    /** The place of a region in the file is its index shifted by this (VF-20). */
    int INDEX_SHIFT = 40;

    /** {@return the place of a region in the file} */
    static long offset(int index) {
        return (long) index << INDEX_SHIFT;
    }

    /** {@return which function} */
    VfioDevice device();

    /** {@return VFIO_DEVICE_GET_INFO} */
    DeviceInfo info();

    /**
     * {@return VFIO_DEVICE_GET_REGION_INFO (VF-21 to VF-25)}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} there is no such region
     */
    RegionInfo regionInfo(int index);

    /**
     * Reads, in naturally aligned pieces of at most 4 bytes in config space, 8 elsewhere (VF-26).
     *
     * @param offset in the file: of a region, and in it
     * @return bytes read; less than asked for at the end of a BAR
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no such region, or past its
     *     end; {@code EFAULT} past the end of config space; {@code EIO} memory is off
     */
    int pread(MemorySegment into, long offset);

    /**
     * Writes, as {@link #pread} reads. A write to config space may revoke, reset or restore.
     *
     * @return bytes written
     * @throws org.peerlane.kernel.api.ErrnoException as {@link #pread}; {@code EINVAL} the ROM
     */
    int pwrite(MemorySegment from, long offset);

    /**
     * Maps a part of a BAR into a process (VF-28). It is filled by touches; one while memory is off
     * is a bus error, and the same mapping works again once it is on (VF-29, VF-42).
     *
     * @param offset in the file
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} not shared, no BAR that can be
     *     mapped, past its end; else as {@link AddressSpace#map}
     */
    CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset);

    /**
     * VFIO_DEVICE_FEATURE with PROBE, or without: what its flags are worth (VF-67).
     *
     * @param flags number of the feature, and {@link Feature#GET} and the like
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} bad bits, or a combination that
     *     the feature does not have; {@code ENOTTY} no such feature
     */
    void probeFeature(int flags);

    /**
     * Feature DMA_BUF: exports slices of a BAR as one buffer (RK-10 to RK-12, VF-68, VF-69).
     *
     * @return one reference, the caller's
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} no BAR of that index, or the
     *     function leaves; {@code EINVAL} no ranges, flags, a range that is empty, not of whole
     *     pages or past the BAR, or a BAR that is not memory; {@code EOVERFLOW} address and length;
     *     {@code ENOTTY} a kernel without
     */
    DmaBuf dmaBuf(DmaBufRequest request);

    /**
     * As {@link #dmaBuf(DmaBufRequest)}, with a descriptor.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EMFILE} besides
     */
    int dmaBuf(DmaBufRequest request, FileTable files);

    /**
     * Feature DMA_BUF_REVOKE: takes an exported buffer away for good (RK-20 to RK-22; series {@code
     * revoke-v3}).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOTTY} a kernel without; {@code
     *     EINVAL} no buffer; {@code ENODEV} not of this function; {@code EBADFD} it is away for
     *     good
     */
    void revoke(OpenFile buffer);

    /**
     * {@return VFIO_DEVICE_GET_IRQ_INFO (VF-60)}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} there is no such kind
     */
    IrqInfo irqInfo(int index);

    /**
     * VFIO_DEVICE_SET_IRQS (VF-61 to VF-65). An interrupt adds one to the vector's eventfd, and
     * holds a reference of it as long as it is set up.
     *
     * @return 0; or for MSI and MSI-X how many vectors there could be, if fewer than asked for:
     *     nothing is set up then
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} flags, vectors, another kind is
     *     active; {@code ENOTTY} a combination that there is not
     */
    int setIrqs(IrqSet set);

    /**
     * VFIO_DEVICE_IOEVENTFD: writes a value to a register each time that an eventfd is added to
     * (VF-66). Dropped while memory is off.
     *
     * @param offset in the file: of a BAR, and in it
     * @param bytes 1, 2 or 4
     * @param event null: no more of what offset, bytes and data say
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the width, no BAR, past its
     *     end, in the MSI-X table; {@code EEXIST} there is one; {@code ENODEV} there is none;
     *     {@code ENOSPC} there are 1000
     */
    void ioEventFd(long offset, int bytes, long data, @Nullable EventFd event);

    /**
     * VFIO_DEVICE_RESET (VF-50).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} it cannot be reset alone;
     *     {@code EAGAIN} somebody else is at it
     */
    void reset();

    /**
     * {@return the functions that a reset of the slot resets, this one among them, by address}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} there is no such reset
     */
    List<HotResetEntry> hotResetInfo();

    /**
     * VFIO_DEVICE_PCI_HOT_RESET: resets all functions of {@link #hotResetInfo} (VF-55).
     *
     * @param owned files of all of them that the caller has open, as proof that they are his
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} there is no such reset; {@code
     *     EINVAL} one of them is not bound to VFIO, or open and not the caller's; {@code EBUSY} one
     *     of them is in use this moment
     */
    void hotReset(List<VfioFile> owned);

    /**
     * Feature LOW_POWER_ENTRY: memory is gone until {@link #exitLowPower} (VF-58).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} it is there already
     */
    void enterLowPower();

    /** Feature LOW_POWER_EXIT; fine if it is not there. */
    void exitLowPower();
}
