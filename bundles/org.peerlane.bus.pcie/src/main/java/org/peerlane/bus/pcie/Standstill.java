package org.peerlane.bus.pcie;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Brings functions to a standstill whose BARs must move, and lets them go on afterwards: the
 * drivers leave them in order and are offered them again. Decode that somebody has switched on
 * without a driver is off meanwhile.
 *
 * <p><b>Threads.</b> The life-cycle thread only; so no lock.
 */
final class Standstill {
    private static final Logger LOG = LogManager.getLogger(Standstill.class);
    private static final int SR_IOV = 0x0010;
    private static final int SR_IOV_CONTROL = 0x08;
    private static final int VF_MEMORY = 1 << 3;

    private final Drivers drivers;
    private final VirtualPopulation virtuals;

    /** Those that had a driver, or whose virtual functions had one. */
    private final Set<Endpoint> orphans = new LinkedHashSet<>();

    /** By function its command register, where decode was on without a driver. */
    private final Map<Endpoint, Long> commands = new LinkedHashMap<>();

    /** By function the control register of SR-IOV, where virtual functions decoded. */
    private final Map<Endpoint, Long> controls = new LinkedHashMap<>();

    /** Its own driver has asked for the move. */
    private @Nullable Endpoint asking;

    Standstill(Drivers drivers, VirtualPopulation virtuals) {
        this.drivers = drivers;
        this.virtuals = virtuals;
    }

    /** The driver of a function has asked for other addresses; null: nobody. */
    void asks(@Nullable Endpoint function) {
        asking = function;
    }

    /** {@return whether a function must be stopped before its BARs may move} */
    boolean isUsed(Endpoint function) {
        return function != asking
                && (drivers.of(function) != null || decodes(function) || hasVirtuals(function));
    }

    private static boolean decodes(Endpoint function) {
        return (function.readConfig(BusFunction.COMMAND, 2) & BusFunction.COMMAND_MEMORY) != 0;
    }

    private static boolean hasVirtuals(Endpoint function) {
        VirtualSet set = function.virtuals();
        return set != null && !set.present().isEmpty();
    }

    /** {@return a function and who uses it, for messages} */
    String user(Endpoint function) {
        String driver = drivers.of(function);
        return driver == null
                ? "%s, which decodes without a driver".formatted(function)
                : "%s, which %s drives".formatted(function, driver);
    }

    /** Neither a driver nor decode, until {@link #resume}. */
    void stop(Endpoint function) {
        LOG.info("{} is stopped so that its BARs can move", user(function));
        if (drivers.of(function) != null || hasVirtuals(function)) {
            orphans.add(function);
            virtuals.unbind(function);
            drivers.unbind(function, false);
        }
        if (decodes(function)) {
            long command = function.readConfig(BusFunction.COMMAND, 2);
            commands.put(function, command);
            function.writeConfig(BusFunction.COMMAND, 2, command & ~BusFunction.COMMAND_MEMORY);
        }
        int at = hasVirtuals(function) ? Capabilities.extended(function, SR_IOV) : 0;
        if (at != 0) {
            long control = function.readConfig(at + SR_IOV_CONTROL, 2);
            controls.put(function, control);
            function.writeConfig(at + SR_IOV_CONTROL, 2, control & ~VF_MEMORY);
        }
    }

    /** All that were stopped go on. */
    void resume() {
        commands.forEach(
                (function, command) -> function.writeConfig(BusFunction.COMMAND, 2, command));
        commands.clear();
        controls.forEach((function, control) ->
                function.writeConfig(
                        Capabilities.extended(function, SR_IOV) + SR_IOV_CONTROL, 2, control));
        controls.clear();
        Set<Endpoint> again = new LinkedHashSet<>(orphans);
        orphans.clear();
        for (Endpoint function : again) {
            if (function.isPresent() && drivers.of(function) == null) {
                drivers.offer(function);
            }
            virtuals.offer(function);
        }
    }
}
