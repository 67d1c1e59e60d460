package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Answers loads and stores at physical addresses that are registers.
 *
 * <p><b>Threads.</b> Any, several at once. No lock of the memory is held, so an access may arrive
 * after a zap that came meanwhile; whoever decodes it answers as the hardware would.
 */
@ConsumerType
public interface RegisterAccess {
    /**
     * {@return what a load reads, in the low bytes}
     *
     * @param physical aligned to {@code width}
     * @param width 1, 2, 4 or 8 bytes
     */
    long read(long physical, int width);

    /**
     * A store.
     *
     * @param physical aligned to {@code width}
     * @param width 1, 2, 4 or 8 bytes
     * @param value in the low bytes
     */
    void write(long physical, int width, long value);
}
