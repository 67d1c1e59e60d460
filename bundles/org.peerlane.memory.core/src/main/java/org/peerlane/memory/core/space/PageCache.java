package org.peerlane.memory.core.space;

import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * Which page of RAM has which part of a file, by page number, in chunks of 512. Kernel counterpart:
 * {@code i_pages} of {@code struct address_space}.
 *
 * <p><b>Threads.</b> The owner locks.
 */
final class PageCache {
    private static final int CHUNK_LG2 = 9;
    private static final int CHUNK = 1 << CHUNK_LG2;

    /** By page number >> 9; a page that is not there is 0, where RAM never is handed out. */
    private final TreeMap<Long, long[]> chunks = new TreeMap<>();

    /** {@return the physical address of a page, or 0} */
    long get(long index) {
        long[] chunk = chunks.get(index >>> CHUNK_LG2);
        return chunk == null ? 0 : chunk[at(index)];
    }

    /** A page that is not there comes. */
    void put(long index, long physical) {
        chunks.computeIfAbsent(index >>> CHUNK_LG2, _ -> new long[CHUNK])[at(index)] = physical;
    }

    private static int at(long index) {
        return (int) index & CHUNK - 1;
    }

    /**
     * Takes pages out.
     *
     * @param end the first number that stays
     * @param each gets what was there
     */
    void remove(long first, long end, LongConsumer each) {
        if (first >= end) {
            return;
        }
        Iterator<Map.Entry<Long, long[]>> touched =
                chunks.subMap(first >>> CHUNK_LG2, true, end - 1 >>> CHUNK_LG2, true)
                        .entrySet()
                        .iterator();
        while (touched.hasNext()) {
            Map.Entry<Long, long[]> entry = touched.next();
            long base = entry.getKey() << CHUNK_LG2;
            int from = (int) Math.max(0, first - base);
            int to = (int) Math.min(CHUNK, end - base);
            long[] pages = entry.getValue();
            for (int i = from; i < to; i++) {
                if (pages[i] != 0) {
                    each.accept(pages[i]);
                }
            }
            Arrays.fill(pages, from, to, 0);
            if (to - from == CHUNK) {
                touched.remove();
            }
        }
    }

    /** Looks at every page that is there. */
    void forEach(LongConsumer each) {
        chunks.values()
                .forEach(pages -> Arrays.stream(pages).filter(page -> page != 0).forEach(each));
    }
}
