package org.peerlane.bus.pcie;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One bus: what sits below a port, or directly in a root complex, by device and function number.
 *
 * <p><b>Threads.</b> Any may look; changes are made with {@code bus.topology} held.
 */
final class Bus {
    /** Functions of one bus: 32 devices of 8, or 256 of one device with ARI. */
    static final int FUNCTIONS = 256;

    final HostBridge host;

    /** The port above; null: a root bus. */
    final @Nullable Port parent;

    /** Never changed once published. */
    private volatile BusFunction[] members = {};

    Bus(HostBridge host, @Nullable Port parent) {
        this.host = host;
        this.parent = parent;
    }

    /** {@return its functions by rising number; not to be changed} */
    BusFunction[] members() {
        return members;
    }

    /**
     * {@return the function of that number, or null}
     *
     * @param key device and function; a virtual one's counts on, over the numbers of later buses
     */
    @Nullable BusFunction at(int key) {
        for (BusFunction member : members) {
            if (member.key() == key) {
                return member;
            }
        }
        return null;
    }

    void add(BusFunction function) {
        BusFunction[] now = new BusFunction[members.length + 1];
        int at = 0;
        while (at < members.length && members[at].key() < function.key()) {
            now[at] = members[at];
            at++;
        }
        now[at] = function;
        System.arraycopy(members, at, now, at + 1, members.length - at);
        members = now;
    }

    @SuppressWarnings("ReferenceEquality") // the very one
    void remove(BusFunction function) {
        BusFunction[] now = new BusFunction[members.length];
        int count = 0;
        for (BusFunction member : members) {
            if (member != function) {
                now[count++] = member;
            }
        }
        members = Arrays.copyOf(now, count);
    }

    /** {@return how many ports are above} */
    int depth() {
        int depth = 0;
        for (Port port = parent; port != null; port = port.bus().parent) {
            depth++;
        }
        return depth;
    }
}
