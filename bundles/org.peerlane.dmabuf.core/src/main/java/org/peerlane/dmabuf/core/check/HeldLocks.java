package org.peerlane.dmabuf.core.check;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.core.check.LockClasses.LockClass;

/**
 * The locks that one thread holds, oldest first. <b>Threads.</b> Its own.
 *
 * <p><b>Cost.</b> Two arrays, which grow with the depth and are then used again: nothing is
 * allocated for a lock.
 */
@SuppressWarnings("ReferenceEquality") // the very lock
final class HeldLocks {
    private static final int FIRST = 8;

    private @Nullable Object[] locks = new Object[FIRST];
    private @Nullable LockClass[] kinds = new LockClass[FIRST];
    private int size;

    void add(Object lock, LockClass kind) {
        if (size == locks.length) {
            locks = Arrays.copyOf(locks, 2 * size);
            kinds = Arrays.copyOf(kinds, 2 * size);
        }
        locks[size] = lock;
        kinds[size++] = kind;
    }

    /** {@return whether it was held; the latest of several is forgotten} */
    boolean remove(Object lock) {
        int at = find(lock);
        if (at < 0) {
            return false;
        }
        size--;
        System.arraycopy(locks, at + 1, locks, at, size - at);
        System.arraycopy(kinds, at + 1, kinds, at, size - at);
        locks[size] = null; // or the thread would keep it
        return true;
    }

    boolean contains(Object lock) {
        return find(lock) >= 0;
    }

    private int find(Object lock) {
        for (int i = size - 1; i >= 0; i--) {
            if (locks[i] == lock) {
                return i;
            }
        }
        return -1;
    }

    int size() {
        return size;
    }

    /**
     * @param index from 0, the oldest
     */
    Object lock(int index) {
        Object lock = index < size ? locks[index] : null;
        if (lock == null) {
            throw new IndexOutOfBoundsException(index);
        }
        return lock;
    }

    /**
     * @param index from 0, the oldest
     */
    LockClass kind(int index) {
        LockClass kind = index < size ? kinds[index] : null;
        if (kind == null) {
            throw new IndexOutOfBoundsException(index);
        }
        return kind;
    }
}
