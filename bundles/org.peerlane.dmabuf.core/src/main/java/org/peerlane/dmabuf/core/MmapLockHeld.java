package org.peerlane.dmabuf.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.core.check.Checks;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;

/**
 * A fault whose handler is watched: the thread has the mmap lock until the end, or until the
 * handler {@linkplain #release lets go} of it. <b>Threads.</b> The fault's.
 */
final class MmapLockHeld implements Fault {
    private final Fault fault;
    private final Checks checks;
    private boolean held = true;

    private MmapLockHeld(Fault fault, Checks checks) {
        this.fault = fault;
        this.checks = checks;
        checks.enterMmapLock();
    }

    /** {@return null while checks are off} */
    static @Nullable MmapLockHeld by(Fault fault, Checks checks) {
        return checks.isOn() ? new MmapLockHeld(fault, checks) : null;
    }

    /** The handler has returned. */
    void ended() {
        if (held) {
            held = false;
            checks.leaveMmapLock();
        }
    }

    @Override
    public void release() {
        fault.release();
        ended();
    }

    @Override
    public CpuMapping mapping() {
        return fault.mapping();
    }

    @Override
    public long address() {
        return fault.address();
    }

    @Override
    public long offset() {
        return fault.offset();
    }

    @Override
    public boolean isWrite() {
        return fault.isWrite();
    }

    @Override
    public long aroundFirst() {
        return fault.aroundFirst();
    }

    @Override
    public long aroundBytes() {
        return fault.aroundBytes();
    }

    @Override
    public void insert(long address, long physical, long bytes, boolean writable) {
        fault.insert(address, physical, bytes, writable);
    }
}
