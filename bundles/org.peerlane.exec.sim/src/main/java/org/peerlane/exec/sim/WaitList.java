package org.peerlane.exec.sim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The threads that wait for one thing, in the order they came. No allocation while empty. */
final class WaitList {
    private static final SimThread[] NONE = {};

    private SimThread[] threads = NONE;
    private int count;

    int size() {
        return count;
    }

    void add(SimThread thread) {
        if (count == threads.length) {
            threads = Arrays.copyOf(threads, count + 4);
        }
        threads[count++] = thread;
    }

    /** {@return the first, taken off; null if none waits} */
    @Nullable SimThread poll() {
        if (count == 0) {
            return null;
        }
        SimThread first = threads[0];
        removeAt(0);
        return first;
    }

    void remove(SimThread thread) {
        for (int i = 0; i < count; i++) {
            if (threads[i] == thread) {
                removeAt(i);
                return;
            }
        }
    }

    private void removeAt(int index) {
        System.arraycopy(threads, index + 1, threads, index, --count - index);
    }
}
