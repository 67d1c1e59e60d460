package org.peerlane.shell.bus;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Resets a function the way of {@code /sys/bus/pci/devices/.../reset}: its settings are saved, it
 * is stopped, reset and given them back. Its driver, if any, is not asked. Kernel counterpart:
 * {@code pci_reset_function}.
 *
 * <p><b>Threads.</b> One object for one reset.
 */
final class FunctionReset {
    private static final int COMMAND = 0x04;
    private static final int INTX_DISABLE = 1 << 10;
    private static final int HEADER_TYPE = 0x0E;
    private static final int SECONDARY_BUS = 0x19;
    private static final int BRIDGE_CONTROL = 0x3E;
    private static final int SECONDARY_RESET = 1 << 6;
    private static final int EXPRESS = 0x10;
    private static final int DEVICE_CAPABILITIES = 0x04;
    private static final long FLR_CAPABLE = 1L << 28;
    private static final int DEVICE_CONTROL = 0x08;
    private static final int INITIATE_FLR = 1 << 15;

    private final List<PcieFunction> functions;
    private final PcieFunction function;
    private final int express;

    /**
     * @throws ErrnoException {@code ENODEV} the function is gone; {@code ENOTTY} it is a bridge
     */
    FunctionReset(List<PcieFunction> functions, PcieFunction function) {
        this.functions = functions;
        this.function = function;
        int type = (int) function.readConfig(HEADER_TYPE, 1);
        if (type == 0xFF) {
            throw new ErrnoException(Errno.ENODEV, name() + " is gone");
        }
        if ((type & 0x7F) != 0) {
            throw cannot("is a bridge; expected a device");
        }
        express = SavedState.capability(function, EXPRESS);
    }

    private String name() {
        return function.slot().isEmpty() ? function.address().toString() : function.slot();
    }

    private ErrnoException cannot(String why) {
        return new ErrnoException(Errno.ENOTTY, name() + " " + why);
    }

    String byAnyMethod() {
        return hasFlr() ? flr() : hot();
    }

    private boolean hasFlr() {
        return express != 0
                && (function.readConfig(express + DEVICE_CAPABILITIES, 4) & FLR_CAPABLE) != 0;
    }

    /**
     * Function-level reset.
     *
     * @throws ErrnoException {@code ENOTTY} the function has none
     */
    String flr() {
        if (!hasFlr()) {
            throw cannot("has no function-level reset; hot may do");
        }
        SavedState saved = stop();
        int at = express + DEVICE_CONTROL;
        function.writeConfig(at, 2, function.readConfig(at, 2) | INITIATE_FLR);
        saved.restore();
        return "function-level reset";
    }

    /**
     * Secondary bus reset at the port above.
     *
     * @throws ErrnoException {@code ENOTTY} it is on a root bus, or not alone below its port
     */
    String hot() {
        PcieFunction port = portAbove();
        if (port == null) {
            throw cannot("is on a root bus, so there is no port that could reset it");
        }
        PcieAddress address = function.address();
        for (PcieFunction other : functions) {
            if (!other.equals(function)
                    && other.address().segment() == address.segment()
                    && other.address().bus() == address.bus()) {
                throw cannot(
                        "is not alone below %s: %s is, too".formatted(port.slot(), other.slot()));
            }
        }
        SavedState saved = stop();
        long control = port.readConfig(BRIDGE_CONTROL, 2);
        port.writeConfig(BRIDGE_CONTROL, 2, control | SECONDARY_RESET);
        port.writeConfig(BRIDGE_CONTROL, 2, control & ~SECONDARY_RESET);
        saved.restore();
        return "hot reset by " + port.slot();
    }

    private SavedState stop() {
        SavedState saved = new SavedState(function);
        function.writeConfig(COMMAND, 2, INTX_DISABLE);
        return saved;
    }

    private @Nullable PcieFunction portAbove() {
        PcieAddress address = function.address();
        for (PcieFunction other : functions) {
            if (other.address().segment() == address.segment()
                    && (other.readConfig(HEADER_TYPE, 1) & 0x7F) == 1
                    && other.readConfig(SECONDARY_BUS, 1) == address.bus()) {
                return other;
            }
        }
        return null;
    }
}
