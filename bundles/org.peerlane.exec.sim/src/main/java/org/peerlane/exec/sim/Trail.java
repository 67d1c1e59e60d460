package org.peerlane.exec.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The steps of one schedule: who passed what. Strings are made only when somebody asks. */
final class Trail {
    private static final int FIRST = 128;

    private Object[] entries =
            new Object[3 * FIRST]; // thread, what it did, to what ("" if nothing)
    private int used;

    void add(SimThread thread, String what, Object where) {
        if (used == entries.length) {
            entries = Arrays.copyOf(entries, 2 * used);
        }
        Object[] to = entries;
        int at = used;
        to[at] = thread;
        to[at + 1] = what;
        to[at + 2] = where;
        used = at + 3;
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>(used / 3);
        for (int i = 0; i < used; i += 3) {
            String where = entries[i + 2].toString();
            lines.add(entries[i] + " " + entries[i + 1] + (where.isEmpty() ? "" : " " + where));
        }
        return List.copyOf(lines);
    }
}
