package org.peerlane.exporter.vfio;

import java.lang.foreign.MemorySegment;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Config space as region of the file, and what follows from writes to it: memory decode (VF-34,
 * VF-35), power states (VF-37), function-level reset (VF-38), MSI (VF-39).
 *
 * <p><b>Locks.</b> Takes {@code vfio.memory} for each piece.
 */
final class ConfigSpace {
    private static final int COMMAND = 0x04;
    private static final long MEMORY = 2;
    private static final long INTX_DISABLE = 1 << 10;
    private static final long FLR = 1L << 15;
    private static final long FLR_CAPABLE = 1L << 28;
    private static final long NO_SOFT_RESET = 1 << 3;
    private static final long READ_REQUEST = 0x7000;
    private static final long PAYLOAD = 0xE0;
    private static final int PAYLOAD_TO_REQUEST = 7;
    private static final long MSI_ENABLE = 1;
    private static final long MSI_QUEUE = 0x70;

    private final VfioPciDevice device;
    private final PcieFunction function;

    ConfigSpace(VfioPciDevice device) {
        this.device = device;
        function = device.function();
    }

    int read(long offset, MemorySegment into) {
        int count = check(offset, into);
        for (int done = 0; done < count; ) {
            device.memory.lock();
            try {
                VirtualConfig config = device.required().config();
                int at = (int) offset + done;
                int width = width(config, at, count - done);
                BarAccess.put(into, done, width, config.read(at, width));
                done += width;
            } finally {
                device.memory.unlock();
            }
        }
        return count;
    }

    int write(long offset, MemorySegment from) {
        int count = check(offset, from);
        for (int done = 0; done < count; ) {
            device.memory.lock();
            try {
                OpenFunction open = device.required();
                int at = (int) offset + done;
                int width = width(open.config(), at, count - done);
                write(open, at, width, BarAccess.get(from, done, width));
                done += width;
            } finally {
                device.memory.unlock();
            }
        }
        return count;
    }

    private int check(long offset, MemorySegment local) {
        int size = device.required().config().size();
        if (offset >= size || local.byteSize() > size - offset) {
            throw new ErrnoException(
                    Errno.EFAULT,
                    "%d bytes at 0x%x of config space, which has 0x%x"
                            .formatted(local.byteSize(), offset, size));
        }
        return (int) local.byteSize();
    }

    private static int width(VirtualConfig config, int at, int left) {
        int width = BarAccess.width(at, left, 4);
        while (!config.isOnePiece(at, width)) {
            width >>= 1;
        }
        return width;
    }

    private void write(OpenFunction open, int at, int width, long value) {
        VirtualConfig config = open.config();
        int power = config.place(Capability.POWER_MANAGEMENT);
        int express = config.place(Capability.EXPRESS);
        int msi = config.place(Capability.MSI);
        int features = config.place(Capability.ADVANCED_FEATURES);
        if (at == COMMAND) {
            command(open, width, value);
        } else if (power != 0 && at == power + 4) {
            config.write(at, width, value);
            power(open, power, value);
        } else if (msi != 0 && covers(at, width, msi + 2)) {
            config.write(at, width, msi(open, at, msi, value));
        } else {
            config.write(at, width, value);
            if (express != 0 && covers(at, width, express + 9)) {
                controlWritten(open, express);
            } else if (features != 0 && covers(at, width, features + 4)) {
                featuresWritten(open, features);
            }
        }
    }

    private static boolean covers(int at, int width, int offset) {
        return at <= offset && offset < at + width;
    }

    /** Only an access that begins here is one to the command register (VF-35). */
    private void command(OpenFunction open, int width, long value) {
        VirtualConfig config = open.config();
        boolean off = (value & MEMORY) == 0;
        if (off) {
            open.takeAway();
        } else if (config.isResetBehindOurBack()) {
            open.restore();
        }
        config.write(COMMAND, width, value);
        long mask = width == 1 ? 0xFF : 0xFFFF;
        open.interrupts().disabledByCommand((config.remembered(COMMAND, 2) & INTX_DISABLE) != 0);
        config.remember(
                COMMAND, 2, config.remembered(COMMAND, 2) & ~(mask & 0x3FF) | value & mask & 0x3FF);
        open.giveBack();
    }

    private void power(OpenFunction open, int at, long value) {
        VirtualConfig config = open.config();
        int was = config.powerState();
        int state = (int) value & 3;
        if (state == 3 && was != 3) {
            open.takeAway();
        }
        boolean loses = (function.readConfig(at + 4, 2) & NO_SOFT_RESET) == 0;
        config.powerState(state);
        if (was == 3 && state != 3 && loses) {
            open.restore();
        }
        open.giveBack();
    }

    private void controlWritten(OpenFunction open, int express) {
        VirtualConfig config = open.config();
        long control = config.remembered(express + 8, 2);
        long hardware = function.readConfig(express + 8, 2);
        long request = Math.max(control & READ_REQUEST, (hardware & PAYLOAD) << PAYLOAD_TO_REQUEST);
        function.writeConfig(express + 8, 2, hardware & ~READ_REQUEST | request);
        if ((control & FLR) != 0) {
            config.remember(express + 8, 2, control & ~FLR);
            if ((function.readConfig(express + 4, 4) & FLR_CAPABLE) != 0) {
                open.functionLevelReset();
            }
        }
    }

    private void featuresWritten(OpenFunction open, int features) {
        VirtualConfig config = open.config();
        if ((config.remembered(features + 4, 1) & 1) != 0) {
            config.remember(features + 4, 1, 0);
            long can = function.readConfig(features + 3, 1);
            if ((can & 3) == 3) { // FLR, and transactions pending
                open.functionLevelReset();
            }
        }
    }

    /** MSI cannot be switched on, nor be given more vectors, than SET_IRQS has set up (VF-39). */
    private static long msi(OpenFunction open, int at, int msi, long value) {
        int most = open.interrupts().msiQueue();
        int shift = 8 * (msi + 2 - at);
        long control = value >>> shift;
        long queue = Math.min(control >>> 4 & 7, Math.max(most, 0));
        long allowed =
                control & ~(MSI_ENABLE | MSI_QUEUE)
                        | queue << 4
                        | (most < 0 ? 0 : control & MSI_ENABLE);
        return value & ~(-1L << shift) | allowed << shift;
    }
}
