package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What a {@link DeviceModel} with the ATS capability implements, too: it is told when translations
 * that it keeps are not good any more. {@link DeviceTlb} does it all.
 *
 * <p><b>Threads.</b> Any; only rings. The engine does the work.
 */
@ConsumerType
public interface AtsDevice {
    /**
     * Translations must go (IM-14). Once nothing uses them any more, the device calls {@link
     * AtsPort#invalidated} with the tag; if it never does, the IOMMU times out.
     *
     * @param tag 0 to 31
     * @param pasid -1: none
     * @param address 4 KiB aligned
     * @param bytes a power of two; all-ones: everything
     */
    void invalidate(int tag, int pasid, long address, long bytes);

    /**
     * Software has switched ATS off: no translation may be kept, and no invalidation that has come
     * before needs an answer.
     */
    default void disabled() {}

    /**
     * The answer to a group of page requests.
     *
     * @param code {@link PageRequest#SUCCESS}, {@link PageRequest#INVALID}, {@link
     *     PageRequest#FAILURE}
     */
    default void pageResponse(int group, int code) {}
}
