package org.peerlane.bus.api;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Resets a function the way of {@code /sys/bus/pci/devices/.../reset}: its settings are saved, it
 * is stopped, reset and given them back. Its driver, if any, is not asked. Kernel counterpart:
 * {@code pci_reset_function}, {@code pci_reset_bus}.
 *
 * <p><b>Threads.</b> One object for one reset; who calls sees to it that nobody else resets the
 * same functions meanwhile.
 */
public final class FunctionReset {
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
    private static final int FEATURES = 0x13;
    private static final int FEATURES_CAN = 0x03;
    private static final long FEATURES_FLR = 3; // transactions pending, and the reset
    private static final int FEATURES_CONTROL = 0x04;
    private static final int POWER = 0x01;
    private static final int POWER_CONTROL = 0x04;
    private static final long POWER_STATE = 3;
    private static final long D3HOT = 3;
    private static final long NO_SOFT_RESET = 1 << 3;

    private final List<PcieFunction> functions;
    private final PcieFunction function;
    private final int express;
    private final int features;
    private final int power;

    /**
     * Looks at a function; resets nothing yet.
     *
     * @param functions all that there are
     * @throws ErrnoException {@code ENODEV} the function is gone; {@code ENOTTY} it is a bridge
     */
    public FunctionReset(List<PcieFunction> functions, PcieFunction function) {
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
        features = SavedState.capability(function, FEATURES);
        power = SavedState.capability(function, POWER);
    }

    private String name() {
        return function.slot().isEmpty() ? function.address().toString() : function.slot();
    }

    private ErrnoException cannot(String why) {
        return new ErrnoException(Errno.ENOTTY, name() + " " + why);
    }

    /** {@return whether a method resets this function and no other} */
    public boolean isPossible() {
        return hasFlr() || hasPowerReset() || isAlone();
    }

    /**
     * Resets by the first method that there is: function-level reset, power state, port above.
     *
     * @return what was done
     * @throws ErrnoException {@code ENOTTY} there is none
     */
    public String byAnyMethod() {
        if (hasFlr()) {
            return flr();
        }
        return hasPowerReset() ? power() : hot();
    }

    private boolean hasPowerReset() {
        return power != 0 && (function.readConfig(power + POWER_CONTROL, 2) & NO_SOFT_RESET) == 0;
    }

    /**
     * Reset by the way to D3hot and back.
     *
     * @return what was done
     * @throws ErrnoException {@code ENOTTY} the function keeps its state in D3hot, or has no such
     *     capability
     */
    public String power() {
        if (!hasPowerReset()) {
            throw cannot("is not reset by D3hot; hot may do");
        }
        SavedState saved = stop();
        int at = power + POWER_CONTROL;
        long control = function.readConfig(at, 2) & ~POWER_STATE;
        function.writeConfig(at, 2, control | D3HOT);
        function.writeConfig(at, 2, control);
        saved.restore();
        return "reset by power state";
    }

    private boolean hasFlr() {
        return hasExpressFlr() || hasFeaturesFlr();
    }

    private boolean hasExpressFlr() {
        return express != 0
                && (function.readConfig(express + DEVICE_CAPABILITIES, 4) & FLR_CAPABLE) != 0;
    }

    private boolean hasFeaturesFlr() {
        return features != 0
                && (function.readConfig(features + FEATURES_CAN, 1) & FEATURES_FLR) == FEATURES_FLR;
    }

    /**
     * Function-level reset, by the Express capability or the one of advanced features.
     *
     * @return what was done
     * @throws ErrnoException {@code ENOTTY} the function has none
     */
    public String flr() {
        if (!hasFlr()) {
            throw cannot("has no function-level reset; hot may do");
        }
        SavedState saved = stop();
        if (hasExpressFlr()) {
            int at = express + DEVICE_CONTROL;
            function.writeConfig(at, 2, function.readConfig(at, 2) | INITIATE_FLR);
        } else {
            function.writeConfig(features + FEATURES_CONTROL, 1, 1);
        }
        saved.restore();
        return "function-level reset";
    }

    /**
     * Secondary bus reset at the port above, of this function alone.
     *
     * @return what was done
     * @throws ErrnoException {@code ENOTTY} it is on a root bus, or not alone below its port
     */
    public String hot() {
        PcieFunction port = requirePort();
        for (PcieFunction other : set()) {
            if (!other.equals(function)) {
                throw cannot(
                        "is not alone below %s: %s is, too".formatted(port.slot(), other.slot()));
            }
        }
        return hotSet();
    }

    /**
     * Secondary bus reset at the port above, of all functions of {@link #set}.
     *
     * @return what was done
     * @throws ErrnoException {@code ENOTTY} it is on a root bus
     */
    public String hotSet() {
        PcieFunction port = requirePort();
        List<SavedState> saved = new ArrayList<>();
        for (PcieFunction one : set()) {
            saved.add(stop(one));
        }
        long control = port.readConfig(BRIDGE_CONTROL, 2);
        port.writeConfig(BRIDGE_CONTROL, 2, control | SECONDARY_RESET);
        port.writeConfig(BRIDGE_CONTROL, 2, control & ~SECONDARY_RESET);
        saved.forEach(SavedState::restore);
        return "hot reset by " + port.slot();
    }

    /**
     * {@return what a reset by the port above resets, by address: all functions on this one's bus;
     * none on a root bus, which no port can reset}
     */
    public List<PcieFunction> set() {
        List<PcieFunction> set = new ArrayList<>();
        if (portAbove() != null) {
            PcieAddress address = function.address();
            for (PcieFunction other : functions) {
                if (other.address().segment() == address.segment()
                        && other.address().bus() == address.bus()) {
                    set.add(other);
                }
            }
        }
        return set;
    }

    private boolean isAlone() {
        return set().size() == 1;
    }

    private PcieFunction requirePort() {
        PcieFunction port = portAbove();
        if (port == null) {
            throw cannot("is on a root bus, so there is no port that could reset it");
        }
        return port;
    }

    private SavedState stop() {
        return stop(function);
    }

    private static SavedState stop(PcieFunction function) {
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
