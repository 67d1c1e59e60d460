package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.QuarantineInfo;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Devices that were cut off because their driver did not stop them in time: they are in the blocked
 * domain, bus master is off, and what they had sent has arrived.
 *
 * <p><b>Life.</b> Of a device: until its function is reset or leaves, or somebody {@link #lift}s
 * it. Bus master is for its driver to switch on again.
 *
 * <p><b>Threads.</b> Any, but never from inside a transaction.
 */
final class Quarantine {
    private static final int COMMAND = 0x04;
    private static final int COMMAND_MEMORY = 1 << 1;

    private record Cut(ImporterDevice device, String owner, String why, boolean blocked, long at) {}

    private final Execution execution;
    private final DmaBufTrace trace;
    private final Checkpoint beforeMasterOff;

    /** Answers null while there is no IOMMU. */
    private final Supplier<@Nullable Iommu> iommu;

    private final ConcurrentHashMap<PcieFunction, Cut> cut = new ConcurrentHashMap<>();

    Quarantine(Execution execution, DmaBufTrace trace, Supplier<@Nullable Iommu> iommu) {
        this.execution = execution;
        this.trace = trace;
        this.iommu = iommu;
        beforeMasterOff = execution.checkpoint("dmabuf.quarantine.before-master-off");
    }

    /**
     * Cuts a device off. When this returns, nothing of it is under way. Again does nothing.
     *
     * @param owner the bundle that drives it
     * @param why for people
     * @return false: it is a pseudo device, which nothing can hold
     */
    boolean isolate(ImporterDevice device, String owner, String why) {
        PcieFunction function = device.function();
        if (function == null) {
            return false;
        }
        if (cut.containsKey(function) || !function.isPresent()) {
            return true;
        }
        boolean blocked = block(function);
        beforeMasterOff.reached();
        boolean memory = (function.readConfig(COMMAND, 2) & COMMAND_MEMORY) != 0;
        function.enable(memory, false);
        function.waitForPendingTransactions();
        cut.put(function, new Cut(device, owner, why, blocked, execution.nanoTime()));
        if (!function.isPresent() && cut.remove(function) != null) { // it left, and nobody told
            unblock(function, blocked);
        }
        if (trace.quarantined.isOn()) {
            trace.quarantined.emit(new DmaBufEvents.DeviceQuarantined(device.name(), owner, why));
        }
        return true;
    }

    private boolean block(PcieFunction function) {
        Iommu unit = iommu.get();
        if (unit == null) {
            return false;
        }
        try {
            unit.replace(function.address(), Iommu.NO_PASID, unit.blocked());
            return true;
        } catch (ErrnoException e) { // it has a DIRECT range (PT-71); bus master must do
            return false;
        }
    }

    /**
     * Refuses a device that is cut off.
     *
     * @throws ErrnoException {@code ENODEV}
     */
    void requireFree(ImporterDevice device) {
        PcieFunction function = device.function();
        Cut its = function == null || cut.isEmpty() ? null : cut.get(function);
        if (its != null) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "%s is in quarantine, since %s; expected a reset of it before"
                            .formatted(device.name(), its.why()));
        }
    }

    /** A function was reset, has left, or somebody says so. {@return whether it was cut off} */
    boolean lift(PcieFunction function) {
        Cut its = cut.remove(function);
        if (its == null) {
            return false;
        }
        unblock(function, its.blocked());
        if (trace.quarantineLifted.isOn()) {
            trace.quarantineLifted.emit(new DmaBufEvents.QuarantineLifted(its.device().name()));
        }
        return true;
    }

    /** The address is whoever's who comes next, if the function has left. */
    private void unblock(PcieFunction function, boolean blocked) {
        Iommu unit = iommu.get();
        if (!blocked || unit == null) {
            return;
        }
        try {
            unit.detach(function.address(), Iommu.NO_PASID);
        } catch (ErrnoException e) {
            // the unit has forgotten it already
        }
    }

    /** {@return the function of a slot that is cut off, or null} */
    @Nullable PcieFunction find(String slot) {
        for (PcieFunction function : cut.keySet()) {
            if (function.slot().equals(slot)) {
                return function;
            }
        }
        return null;
    }

    List<QuarantineInfo> list() {
        List<QuarantineInfo> all = new ArrayList<>();
        cut.forEach((function, its) ->
                all.add(
                        new QuarantineInfo(
                                function.slot(),
                                its.owner(),
                                its.why(),
                                its.blocked(),
                                execution.nanoTime() - its.at())));
        all.sort((one, other) -> Long.compare(other.ageNanos(), one.ageNanos()));
        return all;
    }
}
