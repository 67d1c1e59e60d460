package org.peerlane.iommu.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A bounded queue of pairs of longs, as hardware records events: a full one refuses.
 *
 * <p><b>Protocol.</b> Vyukov's: each slot has a turn; turn {@code n} may be written, {@code n+1}
 * read by whoever has position {@code n}. <b>Threads.</b> Any may offer, one at a time polls.
 * <b>Cost.</b> No lock, no allocation.
 */
final class PairRing {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int SLOT_LONGS = 3;

    private final long[] cells;
    private final int slots;
    private final AtomicLong tail = new AtomicLong();

    /** Only by who polls. */
    private long head;

    PairRing(int slots) {
        if (slots < 2) {
            throw new IllegalArgumentException(slots + " slots; a ring needs 2");
        }
        this.slots = slots;
        cells = new long[slots * SLOT_LONGS];
        for (int i = 0; i < slots; i++) {
            cells[i * SLOT_LONGS] = i;
        }
    }

    /** {@return whether there was room} */
    boolean offer(long a, long b) {
        while (true) {
            long position = tail.get();
            int at = at(position);
            long turn = (long) CELL.getAcquire(cells, at);
            if (turn == position) {
                if (tail.compareAndSet(position, position + 1)) {
                    cells[at + 1] = a;
                    cells[at + 2] = b;
                    CELL.setRelease(cells, at, position + 1);
                    return true;
                }
            } else if (turn < position) {
                return false;
            }
        }
    }

    /** {@return whether something is there; {@link #first} and {@link #second} have it then} */
    boolean isReady() {
        return (long) CELL.getAcquire(cells, at(head)) == head + 1;
    }

    long first() {
        return cells[at(head) + 1];
    }

    long second() {
        return cells[at(head) + 2];
    }

    /** Frees the slot that was read. */
    void advance() {
        CELL.setRelease(cells, at(head), head + slots);
        head++;
    }

    private int at(long position) {
        return (int) (position % slots) * SLOT_LONGS;
    }
}
