package org.peerlane.dmabuf.core.resv;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for a lock, in the order in which they get it: transactions by age, the oldest first;
 * threads without one first come, first served, and overtaken by no transaction that came after
 * them. Guarded by the lock's queue lock.
 */
final class WaitQueue {
    private @Nullable Waiter first;
    private @Nullable Waiter last;
    private int size;

    @Nullable Waiter first() {
        return first;
    }

    int size() {
        return size;
    }

    /**
     * Puts one in its place, and wakes younger ones that must give way to it.
     *
     * @return false: it is not in, since it must give way itself to an older one that waits
     */
    boolean insert(Waiter waiter) {
        Waiter place = null;
        CoreAcquireContext mine = waiter.transaction;
        if (mine != null) {
            for (Waiter other = last; other != null; other = other.before) {
                CoreAcquireContext theirs = other.transaction;
                if (theirs == null) {
                    continue;
                }
                if (theirs.isOlderThan(mine)) {
                    if (waiter.mayDie) {
                        return false;
                    }
                    break;
                }
                place = other;
                if (other.mayDie) {
                    other.wake();
                }
            }
        }
        link(waiter, place);
        return true;
    }

    private void link(Waiter waiter, @Nullable Waiter place) {
        Waiter previous = place == null ? last : place.before;
        waiter.before = previous;
        waiter.after = place;
        if (previous == null) {
            first = waiter;
        } else {
            previous.after = waiter;
        }
        if (place == null) {
            last = waiter;
        } else {
            place.before = waiter;
        }
        size++;
    }

    void remove(Waiter waiter) {
        Waiter previous = waiter.before;
        Waiter next = waiter.after;
        if (previous == null) {
            first = next;
        } else {
            previous.after = next;
        }
        if (next == null) {
            last = previous;
        } else {
            next.before = previous;
        }
        waiter.before = null;
        waiter.after = null;
        size--;
    }

    /** {@return whether a transaction is before it: that one is older} */
    static boolean isBehindTransaction(Waiter waiter) {
        for (Waiter other = waiter.before; other != null; other = other.before) {
            if (other.transaction != null) {
                return true;
            }
        }
        return false;
    }

    /** Wakes those who must give way to a holder. */
    void wakeYounger(CoreAcquireContext holder) {
        for (Waiter waiter = first; waiter != null; waiter = waiter.after) {
            CoreAcquireContext theirs = waiter.transaction;
            if (waiter.mayDie && theirs != null && holder.isOlderThan(theirs)) {
                waiter.wake();
            }
        }
    }

    List<String> names() {
        List<String> names = new ArrayList<>(size);
        for (Waiter waiter = first; waiter != null; waiter = waiter.after) {
            names.add(waiter.thread.getName());
        }
        return names;
    }
}
