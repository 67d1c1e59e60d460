package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;

/** One slot of the board and what is in it. <b>Threads.</b> The life-cycle thread only. */
final class Slot {
    final SlotConfig config;
    final Tree.Place place;
    @Nullable DeviceKind type;
    @Nullable Endpoint function;

    /** Somebody has taken the device out; the slot waits for a hand, not for a type. */
    boolean emptied;

    /** It has had a device: whatever comes now is plugged in. */
    boolean populated;

    /** The type that could not be put into the slot; not tried again. */
    @Nullable DeviceKind failed;

    Slot(SlotConfig config, Tree.Place place) {
        this.config = config;
        this.place = place;
    }

    /** {@return whether the ports that it hangs on are there} */
    boolean isAttached() {
        Port port = place.bus().parent;
        return port == null || port.isPresent();
    }
}
