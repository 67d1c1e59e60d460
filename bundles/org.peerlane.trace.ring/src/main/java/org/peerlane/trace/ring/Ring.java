package org.peerlane.trace.ring;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.peerlane.trace.api.TraceEvent;

/**
 * The last events, oldest overwritten first.
 *
 * <p><b>Threads.</b> Any number write and read. A writer takes a number and fills the slot of that
 * number; a reader skips slots that are being filled or have been overtaken. No lock.
 */
final class Ring {
    private final AtomicReferenceArray<@Nullable Entry> slots;
    private final int mask;
    private final AtomicLong written = new AtomicLong();

    /** One event and where it came from. */
    record Entry(long number, long nanos, String thread, TraceEvent event) {}

    /**
     * @param capacity rounded up to a power of two
     */
    Ring(int capacity) {
        int slotCount = Integer.highestOneBit(Math.max(2, capacity) - 1) << 1;
        slots = new AtomicReferenceArray<>(slotCount);
        mask = slotCount - 1;
    }

    int capacity() {
        return mask + 1;
    }

    /** {@return how many events have come in all} */
    long written() {
        return written.get();
    }

    void add(long nanos, TraceEvent event) {
        long number = written.getAndIncrement();
        slots.setRelease(
                (int) number & mask,
                new Entry(number, nanos, Thread.currentThread().getName(), event));
    }

    /** {@return the last events, oldest first} */
    List<Entry> last(int count) {
        long end = written.get();
        long from = Math.max(0, end - Math.min(count, capacity()));
        List<Entry> entries = new ArrayList<>();
        for (long number = from; number < end; number++) {
            Entry entry = slots.getAcquire((int) number & mask);
            if (entry != null && entry.number() == number) {
                entries.add(entry);
            }
        }
        return entries;
    }

    void clear() {
        for (int i = 0; i <= mask; i++) {
            slots.setRelease(i, null);
        }
    }
}
