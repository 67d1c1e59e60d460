package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;

/**
 * DMA into registers of another function, in naturally aligned accesses of up to 8 bytes.
 *
 * <p>Reads are answered on the initiator's thread. Register writes only ring (see {@link
 * org.peerlane.bus.api.DeviceModel}), so that they need no engine of their own between.
 */
final class PeerAccess {
    /** {@return the bytes moved: all of them} */
    long access(
            Routes.Target target,
            long inside,
            MemorySegment local,
            long offset,
            long bytes,
            boolean write) {
        Function function = target.function;
        assert function != null : "memory-like targets do not come here";
        long done = 0;
        while (done < bytes) {
            long at = inside + done;
            int width = (int) Math.min(Long.lowestOneBit(at | 8), Long.highestOneBit(bytes - done));
            if (write) {
                function.mmioWrite(
                        target.bar, at, width, MemoryBar.load(local, offset + done, width));
            } else {
                MemoryBar.store(
                        local, offset + done, width, function.mmioRead(target.bar, at, width));
            }
            done += width;
        }
        return done;
    }
}
