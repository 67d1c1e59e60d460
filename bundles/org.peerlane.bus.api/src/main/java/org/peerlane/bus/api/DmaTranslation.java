package org.peerlane.bus.api;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What the root complex asks before a request goes on: the IOMMU. On a board that declares one, its
 * absence means that every DMA is blocked, never that it passes untranslated.
 *
 * <p><b>Requester.</b> As in {@link RootComplex}. <b>Threads.</b> Any. <b>Cost.</b> {@link
 * #translate} is called per transaction: no allocation, no lock, no map.
 */
@FunctionalInterface
@ProviderType
public interface DmaTranslation {
    /**
     * Translates the start of a request.
     *
     * @param requester segment, bus, device, function
     * @param attributes see {@link DmaAttributes}
     * @param address what the device put on the bus
     * @param write whether memory will be written
     * @param into the answer: where it goes, and for how many bytes that holds
     * @return {@link DmaResult#OK}, or the status that the device gets
     */
    int translate(int requester, int attributes, long address, boolean write, Target into);

    /**
     * Answers a translation request of a device TLB (IM-12). No access is no fault: {@link
     * Target#bytes} is 0 then.
     *
     * @param permissions what is asked for: {@link PageRequest#READ}, {@link PageRequest#WRITE}
     * @return {@link DmaResult#OK}, or {@link DmaResult#UNSUPPORTED_REQUEST}: the function may not
     *     use ATS
     */
    default int translationRequest(
            int requester, int attributes, long address, int permissions, Target into) {
        return DmaResult.UNSUPPORTED_REQUEST;
    }

    /**
     * Takes a page request (PT-61). Only queues it; the response comes by {@link
     * RootComplex#respond}.
     *
     * @param flags see {@link PageRequest}
     */
    default void pageRequest(int requester, int attributes, long address, int flags, int group) {}

    /**
     * Looks an interrupt message up (IM-9).
     *
     * @param address in the interrupt window
     * @param data the message's
     * @return address in the high word, data in the low word of the interrupt that it is; -1: the
     *     message is blocked and recorded
     */
    default long interrupt(int requester, long address, int data) {
        return address << 32 | data & 0xFFFF_FFFFL;
    }

    /** The answer of a translation; each DMA port owns one and uses it again and again. */
    final class Target {
        /** In {@link #number}: the answer may not be kept. Whoever asks sets it before. */
        public static final long NOT_KEPT = -1;

        /** The physical address that the request goes to. */
        public long physical;

        /** How many bytes from there on are translated the same way; at least 1. */
        public long bytes;

        /**
         * Says until when the answer may be kept, if {@link #number} does not forbid it. Write it
         * only if it is another: a store of a reference costs a garbage collector's barrier.
         */
        public @Nullable Generation generation;

        /** What {@link #generation} was before the answer was looked up, or {@link #NOT_KEPT}. */
        public long number = NOT_KEPT;

        /** {@link PageRequest#READ} and {@link PageRequest#WRITE}; of translation requests only. */
        public int permissions;
    }

    /**
     * Counts how often something that was answered has become invalid. A kept answer is good, for
     * the same direction and without PASID, in each transaction that sees the number it came with.
     * Who invalidates advances it, then {@linkplain RootComplex#drain drains}.
     */
    final class Generation {
        private static final VarHandle NUMBER;

        static {
            try {
                NUMBER =
                        MethodHandles.lookup()
                                .findVarHandle(Generation.class, "number", long.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private volatile long number;

        /** {@return how often it has advanced} */
        public long number() {
            return number;
        }

        /** Ends every answer that came before. */
        public void advance() {
            NUMBER.getAndAdd(this, 1L);
        }
    }
}
