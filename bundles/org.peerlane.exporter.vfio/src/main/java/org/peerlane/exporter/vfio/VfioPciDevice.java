package org.peerlane.exporter.vfio;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.FunctionReset;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.vfio.api.VfioDevice;
import org.peerlane.vfio.api.VfioFile;

/**
 * A function that is bound to VFIO: how often it is open, and the lock around its memory.
 *
 * <p><b>Life.</b> Bound, closed at first. The first {@link #open} makes an {@link OpenFunction},
 * the last close ends it. {@link #unbind} ends whatever is open.
 */
final class VfioPciDevice implements VfioDevice {
    private final Surroundings surroundings;
    private final PcieFunction function;
    private final DeviceSet set;

    /** The kernel's {@code memory_lock}. */
    final NamedLock memory;

    /** Guarded by {@link DeviceSet#lock}. */
    private int files;

    /** Changes with both locks; stays while either is held. Null: nobody has it open. */
    private volatile @Nullable OpenFunction open;

    /** Guarded by {@link DeviceSet#lock}. */
    private boolean unbound;

    /** It was in use and has not been reset since. Guarded by {@link DeviceSet#lock}. */
    private boolean needsReset;

    VfioPciDevice(Surroundings surroundings, PcieFunction function, DeviceSet set) {
        this.surroundings = surroundings;
        this.function = function;
        this.set = set;
        memory = surroundings.execution.lock("vfio.memory");
        set.add(this);
    }

    @Override
    public PcieFunction function() {
        return function;
    }

    DeviceSet set() {
        return set;
    }

    @Override
    public int openCount() {
        set.lock.lock();
        try {
            return files;
        } finally {
            set.lock.unlock();
        }
    }

    @Override
    public VfioFile open() {
        set.lock.lock();
        try {
            if (unbound || !function.isPresent()) {
                throw leaving();
            }
            if (files == 0) {
                enable();
            }
            files++;
        } finally {
            set.lock.unlock();
        }
        return new DeviceFile(surroundings, this);
    }

    private void enable() {
        memory.lock();
        try {
            open = OpenFunction.enable(surroundings, this);
        } finally {
            memory.unlock();
        }
    }

    /** A file has been closed. */
    void closed() {
        set.lock.lock();
        try {
            if (--files == 0 && !unbound) {
                disable();
                new HotReset(this).afterClose();
            }
        } finally {
            set.lock.unlock();
        }
    }

    /**
     * It is not ours any more: whatever is open ends. Buffers first, and without a lock: somebody
     * may hold all of them and wait for an importer that only a departure ends.
     */
    void unbind() {
        OpenFunction now = open;
        if (now != null) {
            now.interrupts().request();
            now.exports().depart();
        }
        set.lock.lock();
        try {
            unbound = true;
            disable();
            set.remove(this);
        } finally {
            set.lock.unlock();
        }
    }

    private void disable() {
        OpenFunction ending = open;
        if (ending == null) {
            return;
        }
        memory.lock();
        try {
            ending.disable();
            needsReset = !ending.canReset();
            open = null;
        } finally {
            memory.unlock();
        }
    }

    /** {@return [set] whether what its last user left is still in it} */
    boolean needsReset() {
        return needsReset;
    }

    /** [set] It has been reset. */
    void wasReset() {
        needsReset = false;
    }

    /** {@return what is open, or null: nobody has it open} */
    @Nullable OpenFunction openOrNull() {
        return open;
    }

    /**
     * {@return what is open}
     *
     * @throws ErrnoException {@code ENODEV} it is being unbound
     */
    OpenFunction required() {
        OpenFunction now = open;
        if (now == null) {
            throw leaving();
        }
        return now;
    }

    ErrnoException leaving() {
        return new ErrnoException(Errno.ENODEV, function.slot() + " is not bound to VFIO any more");
    }

    /**
     * {@return how it can be reset}
     *
     * @throws ErrnoException {@code ENODEV} it has left
     */
    FunctionReset resets() {
        return new FunctionReset(surroundings.bus.functions(), function);
    }

    @Override
    public String toString() {
        return function.slot();
    }
}
