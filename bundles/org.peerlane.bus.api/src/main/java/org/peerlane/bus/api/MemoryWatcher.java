package org.peerlane.bus.api;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Reaches the memory behind a BAR without the bus, as long as the bus says that it may.
 *
 * <p><b>Threads.</b> Whoever changes what the CPU reaches: by config space, by a reset, by taking
 * the device out. One call at a time; locks of the bus are held, so it does not call the bus. It
 * may wait for accesses that are under way, each of bounded length, and for nothing else.
 */
@ConsumerType
@FunctionalInterface
public interface MemoryWatcher {
    /**
     * The CPU reaches other bytes from now on. When this returns, nobody uses those of the call
     * before: they may be reset, or unmapped.
     *
     * @param bytes as long as the watched range; null: registers, somebody else, or nobody
     */
    void reaches(@Nullable MemorySegment bytes);
}
