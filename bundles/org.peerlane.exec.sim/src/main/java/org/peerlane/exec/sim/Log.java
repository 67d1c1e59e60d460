package org.peerlane.exec.sim;

import java.util.AbstractList;
import java.util.Arrays;

/**
 * What each thread passed, in order. Kept as references, so that a passing schedule makes no text;
 * reading a line makes it.
 */
final class Log extends AbstractList<String> {
    private static final int FIELDS = 3;
    private Object[] entries = new Object[FIELDS * 128];
    private int used;

    void add(SimThread thread, String what, String name) {
        if (used == entries.length) {
            entries = Arrays.copyOf(entries, used * 2);
        }
        entries[used] = thread.name();
        entries[used + 1] = what;
        entries[used + 2] = name;
        used += FIELDS;
    }

    @Override
    public String get(int index) {
        int at = index * FIELDS;
        return entries[at] + ": " + entries[at + 1] + entries[at + 2];
    }

    @Override
    public int size() {
        return used / FIELDS;
    }
}
