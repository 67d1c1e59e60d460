package org.peerlane.bus.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The device bus of the machine, as software sees it. <b>Threads.</b> Any. */
@ProviderType
public interface PcieBus {
    /** {@return the functions that are present, by address; an immutable snapshot} */
    List<PcieFunction> functions();

    /**
     * Waits until nothing is under way: every device that came or went has been enumerated, and
     * every driver has been asked.
     *
     * @param timeoutNanos the longest to wait
     * @return whether that point was reached
     * @throws InterruptedException the waiting thread was interrupted
     */
    boolean settle(long timeoutNanos) throws InterruptedException;

    /**
     * {@return how {@code client} reaches the BARs of {@code provider}} Computed anew at each call.
     */
    default PeerRoute peerRoute(PcieFunction provider, PcieFunction client) {
        return PeerRoute.none("this bus knows no routes between peers");
    }
}
