package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A function's way to the CPU: message-signalled interrupts, and INTx.
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

    /**
     * Says whether the function's INTx wants attention: a level, which the bus sends on as messages
     * (PC-78). It goes no further while messages are enabled (PC-29) or Command says so; a reset
     * takes it back. Nothing happens if the function has no pin.
     */
    default void intx(boolean level) {}
}
