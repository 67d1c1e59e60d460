package org.peerlane.trace.ring;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The last events, oldest overwritten first.
 *
 * <p><b>Threads.</b> Any number write and read. A writer takes a number and puts its entry into the
 * slot of that number, unless a later one sits there already; a reader skips slots that are being
 * filled or have been overtaken. No lock.
 */
final class Ring {
    /** Smallest and largest number of events that can be kept. */
    static final int LEAST = 2;

    static final int MOST = 1 << 24;

    private final AtomicReferenceArray<@Nullable Entry> slots;
    private final int mask;
    private final AtomicLong written = new AtomicLong();

    /**
     * One event and where it came from.
     *
     * @param event a trace event, or its {@linkplain EventText.Settled text}
     */
    record Entry(long number, long nanos, String thread, Object event) {}

    /**
     * @param capacity {@link #LEAST} to {@link #MOST}, rounded up to a power of two
     */
    Ring(int capacity) {
        if (capacity < LEAST || capacity > MOST) {
            throw new IllegalArgumentException(
                    "capacity %d is not between %d and %d".formatted(capacity, LEAST, MOST));
        }
        int slotCount = Integer.highestOneBit(capacity - 1) << 1;
        slots = new AtomicReferenceArray<>(slotCount);
        mask = slotCount - 1;
    }

    int capacity() {
        return mask + 1;
    }

    void add(long nanos, Object event) {
        long number = written.getAndIncrement();
        put(new Entry(number, nanos, Thread.currentThread().getName(), event));
    }

    /** Never overwrites a later entry: its writer may have come a lap later and been faster. */
    void put(Entry entry) {
        int slot = (int) entry.number() & mask;
        Entry there;
        do {
            there = slots.getAcquire(slot);
            if (there != null && there.number() > entry.number()) {
                return;
            }
        } while (!slots.compareAndSet(slot, there, entry));
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

    /**
     * Turns events into text, so that nothing of theirs is referred to any more.
     *
     * @param which by class
     */
    void settle(Predicate<Class<?>> which) {
        for (int i = 0; i <= mask; i++) {
            Entry entry = slots.getAcquire(i);
            if (entry != null && which.test(entry.event().getClass())) {
                var text = new EventText.Settled(EventText.of(entry.event()));
                slots.compareAndSet(
                        i, entry, new Entry(entry.number(), entry.nanos(), entry.thread(), text));
            }
        }
    }

    void clear() {
        for (int i = 0; i <= mask; i++) {
            slots.setRelease(i, null);
        }
    }
}
