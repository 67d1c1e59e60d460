package org.peerlane.exporter.vfio;

import org.peerlane.bus.api.FunctionReset;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.SavedState;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * A function while somebody has it open: its virtual config space, its regions, what was exported
 * of it, and the ways to switch its memory off and on.
 *
 * <p><b>Life.</b> From {@link #enable} to {@link #disable}, both with {@code vfio.set} and {@code
 * vfio.memory} held.
 *
 * <p><b>Locks.</b> {@code [memory]}: the caller holds {@code vfio.memory}. Whatever takes memory
 * away waits, with it held, until importers have let go.
 */
final class OpenFunction {
    private static final int COMMAND = 0x04;
    private static final long MEMORY = 2;
    private static final long PORTS = 1;

    private final Surroundings surroundings;
    private final VfioPciDevice device;
    private final PcieFunction function;
    private final boolean canReset;
    private final VirtualConfig config;
    private final Regions regions;
    private final Exports exports;
    private final BarMappings mappings;
    private final Interrupts interrupts;
    private final IoEventFds ioEventFds;

    /** As it was when it was opened: what a close and a way out of D3hot give back. */
    private final SavedState asOpened;

    /** [memory] */
    private boolean lowPower;

    private OpenFunction(Surroundings surroundings, VfioPciDevice device, boolean canReset) {
        this.surroundings = surroundings;
        this.device = device;
        this.canReset = canReset;
        function = device.function();
        asOpened = new SavedState(function);
        config = new VirtualConfig(surroundings.bus.functions(), function);
        regions = new Regions(surroundings, function, config);
        exports = new Exports(surroundings, device);
        mappings = new BarMappings(surroundings, device, this);
        interrupts = new Interrupts(surroundings, function, config);
        ioEventFds = new IoEventFds(surroundings, device, this);
    }

    /** [memory] The first open (VF-12). */
    static OpenFunction enable(Surroundings surroundings, VfioPciDevice device) {
        PcieFunction function = device.function();
        function.enable(true, false);
        FunctionReset reset = device.resets();
        boolean canReset = reset.isPossible();
        if (canReset) {
            reset.byAnyMethod();
        }
        OpenFunction made = new OpenFunction(surroundings, device, canReset);
        if (made.regions.hasPorts()) {
            function.enablePorts(true);
            made.config.remember(COMMAND, 2, function.readConfig(COMMAND, 2));
        }
        return made;
    }

    /** [memory] The last close (VF-13); buffers before the function's memory goes (RK-5). */
    void disable() {
        exports.close();
        mappings.close();
        regions.close();
        interrupts.close();
        ioEventFds.close();
        if (function.isPresent()) {
            config.powerState(0);
            function.enable(true, false);
            asOpened.restore();
            if (canReset) {
                device.resets().byAnyMethod();
            }
            function.enable(false, false);
            function.enablePorts(false);
        }
    }

    VirtualConfig config() {
        return config;
    }

    Regions regions() {
        return regions;
    }

    Exports exports() {
        return exports;
    }

    BarMappings mappings() {
        return mappings;
    }

    Interrupts interrupts() {
        return interrupts;
    }

    IoEventFds ioEventFds() {
        return ioEventFds;
    }

    boolean canReset() {
        return canReset;
    }

    /** {@return [memory] whether the function answers to memory requests (VF-33)} */
    boolean isMemoryEnabled() {
        return config.powerState() < 3
                && (config.isMemoryAlwaysOn() || (config.remembered(COMMAND, 2) & MEMORY) != 0);
    }

    /** {@return [memory] whether user space may touch it: not in low power either (VF-59)} */
    boolean isAccessible() {
        return !lowPower && isMemoryEnabled();
    }

    /** {@return [memory] whether the function answers at a BAR, of memory or of I/O ports} */
    boolean isReachable(int bar) {
        return regions.isMemory(bar)
                ? isAccessible()
                : (config.remembered(COMMAND, 2) & PORTS) != 0;
    }

    /** [memory] Nobody reaches the function's memory when this returns (VF-41). */
    void takeAway() {
        mappings.zap();
        exports.revoke();
        surroundings.beforeHardware.reached();
    }

    /** [memory] It has been reset, or may have been: gives access back, if memory is on. */
    void afterReset() {
        interrupts.afterReset();
        giveBack();
    }

    /** [memory] Gives access back, if memory is on. */
    void giveBack() {
        if (isAccessible()) {
            exports.unrevoke();
        }
    }

    /** [memory] Leaving D3hot without No_Soft_Reset loses the settings (VF-37). */
    void restore() {
        asOpened.restore();
        function.writeConfig(COMMAND, 2, config.remembered(COMMAND, 2));
    }

    /**
     * VFIO_DEVICE_RESET (VF-50).
     *
     * @throws ErrnoException {@code EINVAL}; {@code EAGAIN}
     */
    void reset() {
        if (!canReset) {
            throw new ErrnoException(
                    Errno.EINVAL, function.slot() + " has no reset of its own; a hot reset may do");
        }
        NamedLock memory = device.memory;
        if (!memory.tryLock()) {
            throw new ErrnoException(
                    Errno.EAGAIN, "the memory of %s is in use".formatted(function.slot()));
        }
        try {
            config.powerState(0);
            takeAway();
            try {
                device.resets().byAnyMethod();
            } finally {
                afterReset();
            }
        } finally {
            memory.unlock();
        }
    }

    /** [memory] Function-level reset, from inside of config space (VF-38). */
    void functionLevelReset() {
        takeAway();
        try {
            device.resets().flr();
        } catch (ErrnoException _) {
            // not reported
        } finally {
            afterReset();
        }
    }

    /** Feature LOW_POWER_ENTRY (VF-58). */
    void enterLowPower() {
        device.memory.lock();
        try {
            if (lowPower) {
                throw new ErrnoException(
                        Errno.EINVAL, function.slot() + " is in low power already");
            }
            takeAway();
            lowPower = true;
        } finally {
            device.memory.unlock();
        }
    }

    /** Feature LOW_POWER_EXIT. */
    void exitLowPower() {
        device.memory.lock();
        try {
            lowPower = false;
            giveBack();
        } finally {
            device.memory.unlock();
        }
    }
}
