package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What the root complex asks before a request goes on: the IOMMU. On a board that declares one, its
 * absence means that every DMA is blocked, never that it passes untranslated.
 */
@FunctionalInterface
@ProviderType
public interface DmaTranslation {
    /**
     * Translates the start of a request.
     *
     * @param requesterId bus, device, function: 16 bits
     * @param attributes see {@link DmaAttributes}
     * @param address what the device put on the bus
     * @param write whether memory will be written
     * @param into the answer: where it goes, and for how many bytes that holds
     * @return {@link DmaResult#OK}, or the status that the device gets
     */
    int translate(int requesterId, int attributes, long address, boolean write, Target into);

    /** The answer of a translation; each DMA port owns one and uses it again and again. */
    final class Target {
        /** The physical address that the request goes to. */
        public long physical;

        /** How many bytes from there on are translated the same way; at least 1. */
        public long bytes;
    }
}
