package org.peerlane.driver.edu;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * An edu device and its bus as the driver sees them, all on the caller's thread: a transfer is
 * over, and its interrupt delivered, before the write that starts it returns; unless a test has
 * planned a mishap for it.
 */
final class FakeEdu implements PcieFunction {
    /** What happens instead of a transfer. */
    enum Mishap {
        /** Data moves, and no message comes. */
        NO_INTERRUPT,
        /** Nothing moves, and the device says so. */
        ERROR,
        /** One bit is wrong. */
        CORRUPTION,
        /** Registers and config space are as after power-on. */
        RESET,
        /** It is not there any more. */
        GONE,
        /** It goes on for ever; until somebody calls {@link #finish}. */
        HANG
    }

    private final PhysicalMemory memory;
    private final PcieAddress address;
    private final byte[] buffer = new byte[4096];
    private final Map<Long, Long> registers = new ConcurrentHashMap<>();
    private volatile int command;
    private volatile @Nullable Runnable handler;
    private volatile boolean present = true;
    private @Nullable Mishap mishap;
    private long mishapAt;
    private Runnable also = () -> {};

    /** How many transfers have begun. */
    final AtomicLong transfers = new AtomicLong();

    FakeEdu(PhysicalMemory memory, int device) {
        this.memory = memory;
        address = new PcieAddress(0, 0, device, 0);
    }

    /**
     * Plans a mishap.
     *
     * @param nth transfer from now, from 1
     * @param then runs at the same time
     */
    void plan(Mishap what, long nth, Runnable then) {
        mishap = what;
        mishapAt = transfers.get() + nth;
        also = then;
    }

    boolean hasHandler() {
        return handler != null;
    }

    boolean isBusMaster() {
        return (command & 4) != 0;
    }

    /** Ends a transfer that hangs. */
    void finish() {
        transfer(get(0x98), null);
    }

    private long get(long offset) {
        return registers.getOrDefault(offset, 0L);
    }

    private void set(long offset, long value) {
        registers.put(offset, value);
    }

    private void start(long value) {
        long number = transfers.incrementAndGet();
        set(0x98, value);
        Mishap now = number == mishapAt ? mishap : null;
        switch (now) {
            case RESET -> {
                registers.clear();
                command = 0;
                handler = null;
            }
            case GONE -> present = false;
            case HANG -> {}
            case null, default -> transfer(value, now);
        }
        if (now != null) {
            also.run();
        }
    }

    private void transfer(long value, @Nullable Mishap now) {
        boolean toRam = (value & 2) != 0;
        long error = 0;
        if (now == Mishap.ERROR || !isBusMaster()) {
            error = 8;
        } else if (toRam) {
            if (now == Mishap.CORRUPTION) {
                buffer[0] ^= 1;
            }
            int offset = (int) (get(0x80) - EduChannel.BUFFER);
            memory.write(get(0x88), MemorySegment.ofArray(buffer), offset, get(0x90));
        } else {
            int offset = (int) (get(0x88) - EduChannel.BUFFER);
            memory.read(get(0x80), MemorySegment.ofArray(buffer), offset, get(0x90));
        }
        set(0x98, value & ~1L | error);
        set(0x24, get(0x24) | 0x100);
        Runnable message = handler;
        if (message != null && now != Mishap.NO_INTERRUPT) {
            message.run();
        }
    }

    @Override
    public long read(int index, long offset, int bytes) {
        if (!present || (command & 2) == 0) {
            return -1L >>> 64 - 8 * bytes;
        }
        return offset == 0 ? 0x010000ED : get(offset);
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {
        if (!present || (command & 2) == 0) {
            return;
        }
        if (offset == 0x98) {
            start(value);
        } else if (offset == 0x64) {
            set(0x24, get(0x24) & ~value);
        } else {
            set(offset, value);
        }
    }

    @Override
    public PcieAddress address() {
        return address;
    }

    @Override
    public String slot() {
        return "edu" + (address.device() - 4);
    }

    @Override
    public int vendorId() {
        return 0x1234;
    }

    @Override
    public int deviceId() {
        return 0x11E8;
    }

    @Override
    public int classCode() {
        return 0x00FF00;
    }

    @Override
    public boolean isPresent() {
        return present;
    }

    @Override
    public long readConfig(int offset, int bytes) {
        if (offset != 4) {
            throw new UnsupportedOperationException();
        }
        return present ? command : 0xFFFF;
    }

    @Override
    public void writeConfig(int offset, int bytes, long value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void enable(boolean memoryAccess, boolean busMaster) {
        command = (memoryAccess ? 2 : 0) | (busMaster ? 4 : 0);
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable action) {
        if (handler != null) {
            throw new ErrnoException(Errno.EBUSY, "vector has a handler");
        }
        handler = action;
        return () -> handler = null;
    }
}
