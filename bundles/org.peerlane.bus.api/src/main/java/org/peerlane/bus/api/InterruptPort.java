package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A function's way to the CPU: message-signalled interrupts.
 *
 * <p>A message is a posted memory write of the function's, ordered behind its earlier writes on the
 * same path (PC-30); it needs what DMA needs. <b>Threads.</b> Engine threads of the device.
 */
@ProviderType
public interface InterruptPort {
    /**
     * Sends one vector's message, or leaves it pending if the vector is masked.
     *
     * @param vector from 0
     * @return {@link DmaResult#OK} sent or pending; {@link DmaResult#BUS_MASTER_OFF}, {@link
     *     DmaResult#GONE}; {@link DmaResult#UNSUPPORTED_REQUEST} the function's messages are not
     *     enabled, or there is no such vector
     */
    int raise(int vector);
}
