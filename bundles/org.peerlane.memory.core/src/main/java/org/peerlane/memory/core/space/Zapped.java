package org.peerlane.memory.core.space;

import java.util.Arrays;

/** What was taken out of a page table and is not yet let go. */
final class Zapped {
    private long[] entries = new long[16];
    private int count;
    private boolean any;

    /** An entry of a frame: nothing to let go. */
    void addFrame() {
        any = true;
    }

    /** An entry that holds its page. */
    void addPage(long entry) {
        any = true;
        if (count == entries.length) {
            entries = Arrays.copyOf(entries, 2 * count);
        }
        entries[count++] = entry;
    }

    boolean isEmpty() {
        return !any;
    }

    /** Lets the pages go; only after a flush. */
    void release(PageRefs refs) {
        for (int i = 0; i < count; i++) {
            long page = entries[i] & Pte.FRAME;
            if ((entries[i] & Pte.DIRTY) != 0) {
                refs.markDirty(page);
            }
            refs.put(page);
        }
        count = 0;
    }
}
