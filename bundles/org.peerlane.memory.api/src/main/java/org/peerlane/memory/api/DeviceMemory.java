package org.peerlane.memory.api;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Physical addresses that are no RAM and that somebody answers at.
 *
 * <p><b>Life.</b> Until closed. Page table entries may outlive it: a CPU that touches one then
 * takes a bus error, as if no device answered.
 */
@ProviderType
public interface DeviceMemory extends AutoCloseable {
    /** {@return for messages} */
    String name();

    /** {@return where it is} */
    AddressRange<PhysicalAddress> range();

    /**
     * Says what is behind registers now: bytes that a CPU reaches as it does RAM, with windows onto
     * them; or nothing, and each access asks the registers again. When this returns, no access uses
     * the earlier bytes, and windows onto those are closed.
     *
     * @param bytes as long as the range; null: the registers answer
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the bytes have another length,
     *     are on the heap, or were provided from the start and have no registers
     * @throws IllegalStateException a window is held up; the rest is done
     */
    void back(@Nullable MemorySegment bytes);

    /**
     * Nobody answers any more: windows onto it are closed, and no access uses its segment any more
     * when this returns. Again is fine.
     */
    @Override
    void close();
}
