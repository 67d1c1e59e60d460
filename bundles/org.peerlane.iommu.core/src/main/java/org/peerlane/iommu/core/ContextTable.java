package org.peerlane.iommu.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Contexts by segment and requester id (IM-2): root entries by bus, context entries by function.
 *
 * <p><b>Threads.</b> {@link #find}: any. {@link #put}: one at a time. <b>Cost.</b> Three loads.
 */
final class ContextTable {
    private static final int FUNCTIONS = 256;

    private volatile Context[][] buses = {};

    /** {@return the context of a requester, or null} */
    @Nullable Context find(int requester) {
        Context[][] now = buses;
        int bus = requester >>> 8;
        if (bus >= now.length) {
            return null;
        }
        Context[] functions = now[bus];
        return functions == null ? null : functions[requester & 0xFF];
    }

    /** {@return whether there is a root entry for the bus of a requester} */
    boolean hasBus(int requester) {
        Context[][] now = buses;
        int bus = requester >>> 8;
        return bus < now.length && now[bus] != null;
    }

    /** Publishes a context; null takes it away. */
    void put(int requester, @Nullable Context context) {
        int bus = requester >>> 8;
        Context[][] next = Arrays.copyOf(buses, Math.max(buses.length, bus + 1));
        Context[] functions = next[bus];
        functions =
                functions == null ? new Context[FUNCTIONS] : Arrays.copyOf(functions, FUNCTIONS);
        functions[requester & 0xFF] = context;
        next[bus] = functions;
        buses = next;
    }

    /** Takes all away. */
    void clear() {
        buses = new Context[0][];
    }
}
