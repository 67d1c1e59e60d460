package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.pcie.config.ErrorMessage;
import org.peerlane.bus.pcie.config.Express;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.Link;
import org.peerlane.bus.pcie.config.PcieError;
import org.peerlane.bus.pcie.config.Slot;

/**
 * The slot below a port and its link: what comes into it and leaves it, and its button. An upstream
 * port has none, and nothing happens.
 *
 * <p><b>Locks.</b> The port's. <b>Threads.</b> Any.
 */
final class PortSlot {
    private final Port port;
    private final FunctionConfig config;
    private final @Nullable Slot slot;
    private final @Nullable Link link;

    PortSlot(Port port, FunctionConfig config, Express express) {
        this.port = port;
        this.config = config;
        slot = express.slot();
        link = express.link();
    }

    /** {@return whether software has cut off what is in it} With the port's lock. */
    boolean isCut() {
        return slot != null && slot.present() && link != null && !link.active();
    }

    /** {@return whether there is an event to interrupt for} With the port's lock. */
    boolean notice() {
        return slot != null && slot.notice();
    }

    /** While there is no power: says what the next reset finds in it. With the port's lock. */
    void hold(boolean something) {
        if (slot != null) {
            slot.hold(something);
        }
    }

    /** Something is in it from the start: no event. */
    void populate() {
        port.lock.lock();
        try {
            if (slot != null) {
                slot.populate();
            }
            port.refresh();
        } finally {
            port.lock.unlock();
        }
    }

    /** Something has come into it, or has left it (PC-68, PC-69). */
    void presence(boolean there) {
        boolean notice;
        ErrorMessage message = ErrorMessage.NONE;
        port.lock.lock();
        try {
            if (slot == null || slot.present() == there) {
                return;
            }
            boolean reports = !there && link != null && link.active() && link.reportsSurpriseDown();
            slot.presence(there);
            if (reports) {
                message = config.errors().uncorrectable(PcieError.SURPRISE_DOWN, false, 0, 0, 0, 0);
            }
            notice = slot.notice();
            port.refresh();
        } finally {
            port.lock.unlock();
        }
        port.fabric.report(port, message);
        if (notice) {
            port.interrupt();
        }
    }

    /** Somebody presses the attention button. {@return whether it was heard (PC-70)} */
    boolean pressButton() {
        boolean heard;
        boolean notice;
        port.lock.lock();
        try {
            heard = slot != null && slot.pressButton();
            notice = slot != null && slot.notice();
        } finally {
            port.lock.unlock();
        }
        if (notice) {
            port.interrupt();
        }
        return heard;
    }
}
